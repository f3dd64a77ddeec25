"""Secrets go in by `store` and `rotate`; only the platform itself gets them out, to use them."""

import logging
from collections.abc import Collection, Iterator
from uuid import UUID

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from agentxsuite import masking
from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record_change
from agentxsuite.control.problems import Conflict, Invalid, Problem
from agentxsuite.control.secretstore import datakeys, inbound
from agentxsuite.control.secretstore.crypto import CannotOpen, SecretPlace, seal, unseal
from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKeys
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.control.secretstore.uses import uses_of
from agentxsuite.control.secretstore.values import Concealed, Revealed, SecretUnreadable
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing

__all__ = [
    "Revealed",
    "SecretUnreadable",
    "SecretsUnavailable",
    "delete",
    "place_of",
    "reveal_many",
    "rotate",
    "store",
    "usable",
]

MAX_BYTES = 64 * 1024
NAMED = 10  # uses that a refusal names

log = logging.getLogger(__name__)


class SecretsUnavailable(Problem):
    """Without its keys the platform neither takes nor uses secrets; the log says what is wrong."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("secrets_unavailable", "Secrets cannot be stored or used at the moment.")


def store(
    actor: Actor,
    organization: Organization,
    environment: Environment | None,
    value: str,
    purpose: str = "",
) -> Secret:
    """Encrypt a value under a new random ref; with no environment it serves the organization.

    Raises Invalid, SecretsUnavailable.
    """
    if environment is not None and environment.organization_id != organization.id:
        raise Invalid.at("/environment", "There is no such environment.")
    _check("/purpose", purpose, most=Secret._meta.get_field("purpose").max_length or 0)
    with changing(organization.id):
        secret = Secret.objects.create(
            organization=organization, environment=environment, purpose=purpose
        )
        _add_version(actor, secret, 1, value)
        _record("secret_stored", actor, secret, 1)
    return secret


def rotate(actor: Actor, secret: Secret, value: str) -> int:
    """Make `value` the current version under the same ref; returns its number.

    Raises Invalid, also for one too weak for an agent that logs in with it; NotFound,
    SecretsUnavailable.
    """
    with changing(secret.organization_id):
        held(Secret.objects.live(), secret.id)  # numbers are given out one by one
        number = _newest_number(secret) + 1
        _add_version(actor, secret, number, value, _fingerprint(secret, number - 1, value))
        _record("secret_rotated", actor, secret, number)
    return number


def delete(actor: Actor, secret: Secret) -> None:
    """Erase every version of a secret; its ref is never given again.

    Raises Conflict, naming what it is, while something uses it; NotFound.
    """
    with changing(secret.organization_id):
        current = held(Secret.objects.live(), secret.id)
        if uses := uses_of(current):
            named = ", ".join(f"the {use.kind} {use.name}" for use in uses[:NAMED])
            more = f" and {len(uses) - NAMED} more" if len(uses) > NAMED else ""
            raise Conflict(f"It is used by {named}{more}.", code="secret_in_use")
        _record("secret_deleted", actor, current, _newest_number(current))
        current.versions.all().delete()
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])


def _newest_number(secret: Secret) -> int:
    return secret.versions.aggregate(last=Max("number"))["last"] or 0


def usable(organization: UUID, environment: UUID | None, refs: Collection[str]) -> QuerySet[Secret]:
    """Return the secrets among `refs` that this environment may use: its own and the shared."""
    here = Q(environment=None) | Q(environment=environment)
    return Secret.objects.live().filter(here, organization=organization, ref__in=refs)


def reveal_many(
    organization: UUID, environment: UUID | None, refs: Collection[str]
) -> dict[str, Revealed]:
    """Decrypt the current versions of all of `refs` that this environment may use.

    Left out is what belongs to another tenant or environment, is not there, or cannot be
    decrypted; the latter is logged. So one broken secret closes only the calls that need it.
    """
    if not refs:
        return {}
    newest = SecretVersion.objects.filter(secret=OuterRef("secret")).order_by("-number")
    versions = SecretVersion.objects.filter(
        secret__in=usable(organization, environment, refs),
        number=Subquery(newest.values("number")[:1]),
    ).select_related("secret", "data_key")
    return dict(_revealed(list(versions)))


def _revealed(versions: list[SecretVersion]) -> Iterator[tuple[str, Revealed]]:
    try:
        masters = datakeys.master_keys()
    except KeysUnavailable as error:
        log.critical("no secret can be used: %s", error)
        return
    for version in versions:
        ref = version.secret.ref
        try:
            yield ref, Revealed(Concealed(_plain(version, masters)), version.number)
        except (CannotOpen, KeysUnavailable) as error:
            log.warning("secret %s cannot be used: %s", ref, error)


def _plain(version: SecretVersion, masters: MasterKeys) -> str:
    key = datakeys.opened(version.data_key, masters)
    place = place_of(version.secret, version.number)
    return unseal(key, bytes(version.ciphertext), place).decode()


def _fingerprint(secret: Secret, number: int, value: str) -> str | None:
    """What finds the new value, where the version before it was found so too."""
    if not secret.versions.filter(number=number, fingerprint__isnull=False).exists():
        return None
    kinds = {inbound.KINDS[use.field] for use in uses_of(secret) if use.field in inbound.KINDS}
    try:
        made = [inbound.fingerprint(secret.organization_id, kind, value) for kind in kinds]
    except inbound.Unfit as unfit:
        raise Invalid.at("/value", str(unfit)) from None
    return made[0] if made else None


def _add_version(
    actor: Actor, secret: Secret, number: int, value: str, fingerprint: str | None = None
) -> None:
    masking.learn(value)
    _check("/value", value, most=MAX_BYTES, least=1)
    try:
        data_key, key = datakeys.current(secret.organization_id, datakeys.master_keys())
    except (CannotOpen, KeysUnavailable) as error:
        log.critical("no secret can be stored: %s", error)
        raise SecretsUnavailable from None
    SecretVersion.objects.create(
        organization_id=secret.organization_id,
        secret=secret,
        number=number,
        data_key=data_key,
        ciphertext=seal(key, value.encode(), place_of(secret, number)),
        fingerprint=fingerprint,
        created_by=actor.user,
    )


def _check(path: str, text: str, *, most: int, least: int = 0) -> None:
    """Refuse what cannot be kept; the message never repeats it."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Invalid.at(path, "This is not valid Unicode.") from None
    if not least <= size <= most or "\0" in text:
        raise Invalid.at(path, f"Give {least} to {most} bytes of text without NUL.")


def place_of(secret: Secret, number: int) -> SecretPlace:
    """Return where the value of a version belongs."""
    return SecretPlace(
        secret.organization_id, secret.environment_id, secret.id, number, secret.purpose
    )


def _record(event: EventType, actor: Actor, secret: Secret, version: int) -> None:
    record_change(event, actor, secret, secret.ref, {"purpose": secret.purpose, "version": version})
