"""New keys for old in the whole installation, told line by line.

On PostgreSQL the owner says which organizations there are, and which of the operator's keys are
still needed; whatever is opened and changed is so as `app`, within one organization at a time.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.lent import ACCOUNTS
from agentxsuite.control.secretstore.crypto import CannotOpen
from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKeys
from agentxsuite.control.secretstore.models import DataKey
from agentxsuite.control.secretstore.resealing import VERSIONS, Stuck
from agentxsuite.control.secretstore.rotation import moved, renewed, rewrapped
from agentxsuite.control.storage.roles import as_owner

BY_HAND: Final = Actor("client:command-line")
DRAWERS: Final = (VERSIONS, ACCOUNTS)  # whatever is sealed with data keys
STEP: Final = 1_000  # values between two words of progress


class Said(NamedTuple):
    """A line for the operator; `is_wrong` where something stays as it was."""

    text: str
    is_wrong: bool = False


def rotation(organization: UUID | None, *, data: bool) -> Iterator[Said]:
    """Wrap all data keys with the first master key; with `data`, seal everything with new ones.

    Raises KeysUnavailable, ImproperlyConfigured, DatabaseError.
    """
    masters = MasterKeys.load(settings.SECRET_KEYS)
    for each in [organization] if organization else _organizations():
        yield from _wrapping(each, masters)
        if data:
            yield from _sealing(each, masters)
    if organization is None:
        yield from _leaving(masters)


def _organizations() -> list[UUID]:
    with as_owner():
        keys = DataKey.objects.order_by("organization")
        return list(keys.values_list("organization", flat=True).distinct())


def _wrapping(organization: UUID, masters: MasterKeys) -> Iterator[Said]:
    keys = list(rewrapped(BY_HAND, organization, masters))
    for key in keys:
        if isinstance(key, Stuck):
            yield _stays(organization, key)
    changed = keys.count(True)
    told = f"{organization}: {changed} of {len(keys)} data keys are wrapped anew"
    yield Said(told, is_wrong=not keys)


def _sealing(organization: UUID, masters: MasterKeys) -> Iterator[Said]:
    try:
        newest = renewed(BY_HAND, organization, masters)
    except (CannotOpen, KeysUnavailable) as error:
        yield Said(f"{organization}: nothing is sealed anew: {error}", is_wrong=True)
        return
    done = 0
    for stuck in moved(BY_HAND, newest, DRAWERS, masters):
        if stuck:
            yield _stays(organization, stuck)
            continue
        done += 1
        if done % STEP == 0:
            yield Said(f"{organization}: {done} values so far")
    yield Said(f"{organization}: {done} values are sealed anew, with data key {newest.number}")


def _stays(organization: UUID, stuck: Stuck) -> Said:
    return Said(f"{organization}: {stuck.kind} {stuck.id} stays: {stuck.why}", is_wrong=True)


def _leaving(masters: MasterKeys) -> Iterator[Said]:
    """Say which of the operator's older keys nothing needs, and which are needed still."""
    with as_owner():
        used = list(DataKey.objects.values_list("wrapped_by", flat=True))
    for key in masters.keys[1:]:
        count = used.count(key.id)
        still = f"still wraps {count} data keys: keep it" if count else "is not needed any more"
        yield Said(f"master key {key.id} {still}")
