"""Secrets by which an agent outside logs in: the version in use has the fingerprint that finds it.

A fingerprint is made when a secret is put to this use, and with each new value while it is. So a
call is identified without decrypting anything, and a value that is too easy to guess never counts.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from agentxsuite.control.secretstore.inbound import fingerprint
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.control.secretstore.services import SecretsUnavailable, reveal_many, usable
from agentxsuite.control.tenancy.saving import held


def mark(organization: UUID, environment: UUID, ref: str, kind: str) -> str:
    """Return the fingerprint of a secret that this environment may use, made where it has none.

    Raises Unfit for a value that must not open a door, SecretsUnavailable, NotFound.
    """
    row = usable(organization, environment, {ref}).get()
    held(Secret.objects.live(), row.id)  # so that no other value comes in between
    known = fingerprints_of(organization, environment, {ref})
    if ref in known:
        return known[ref]
    revealed = reveal_many(organization, environment, {ref})
    if ref not in revealed:
        raise SecretsUnavailable
    made = fingerprint(organization, kind, revealed[ref].value.reveal())
    row.versions.filter(number=revealed[ref].version).update(fingerprint=made)
    return made


def fingerprints_of(organization: UUID, environment: UUID, refs: Collection[str]) -> dict[str, str]:
    """Return the fingerprints of the current versions of those refs that may be used here."""
    if not refs:
        return {}
    current = _current(organization).filter(secret__in=usable(organization, environment, refs))
    return {ref: str(known) for ref, known in current.values_list("secret__ref", "fingerprint")}


def refs_of(organization: UUID, known: str) -> set[str]:
    """Return the refs of the organization's secrets that have this fingerprint now."""
    rows = _current(organization).filter(fingerprint=known, secret__deleted_at=None)
    return set(rows.values_list("secret__ref", flat=True))


def _current(organization: UUID) -> QuerySet[SecretVersion]:
    """The newest version of each secret, of those that have a fingerprint."""
    newest = SecretVersion.objects.filter(secret=OuterRef("secret")).order_by("-number")
    return SecretVersion.objects.filter(
        organization=organization,
        number=Subquery(newest.values("number")[:1]),
        fingerprint__isnull=False,
    )
