"""New keys for old, of one organization at a time, while servers run.

Every step is a transaction of its own and leaves everything readable, so that whoever is
interrupted begins again and goes on where it stopped. Retired keys are kept: a reader or a backup
may still have what they sealed.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from django.utils import timezone

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.secretstore import datakeys
from agentxsuite.control.secretstore.crypto import CannotOpen
from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKeys
from agentxsuite.control.secretstore.models import DataKey
from agentxsuite.control.secretstore.resealing import Drawer, Stuck, outdated, resealed
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing

ACTIONS: Final = {
    "data_key_created": "create",
    "data_key_retired": "retire",
    "data_key_rewrapped": "rewrap",
}
KIND: Final = str(DataKey._meta.verbose_name)


def rewrapped(actor: Actor, organization: UUID, masters: MasterKeys) -> Iterator[bool | Stuck]:
    """Wrap every data key with the first master key; yields for each whether it was another's."""
    with changing(organization):
        rows = DataKey.objects.filter(organization=organization).order_by("number")
        ids = list(rows.values_list("id", flat=True))
    for key_id in ids:
        try:
            yield _rewrap(actor, organization, key_id, masters)
        except (CannotOpen, KeysUnavailable) as error:
            yield Stuck(KIND, key_id, str(error))


def renewed(actor: Actor, organization: UUID, masters: MasterKeys) -> DataKey:
    """Return the key that counts from now on: a new one, unless an older one is not done with yet.

    Raises KeysUnavailable, CannotOpen: what the organization has cannot be opened.
    """
    with changing(organization):
        keys = DataKey.objects.filter(organization=organization, retired_at=None)
        oldest = keys.order_by("number").first()
        if oldest is None:
            raise KeysUnavailable("there is no data key in use")
        held(DataKey.objects.all(), oldest.id)  # of two that begin at once one waits, and looks
        newest, _ = datakeys.current(organization, masters)
        if keys.count() == 1:
            newest = datakeys.made(organization, newest.number + 1, masters)
            _record("data_key_created", actor, newest)
        return newest


def moved(
    actor: Actor, newest: DataKey, drawers: Iterable[Drawer], masters: MasterKeys
) -> Iterator[Stuck | None]:
    """Seal with the newest key what older ones sealed, and retire those that nothing needs."""
    drawers = tuple(drawers)
    for drawer in drawers:
        yield from resealed(drawer, newest, masters)
    _retire(actor, newest, drawers)


def _rewrap(actor: Actor, organization: UUID, key_id: UUID, masters: MasterKeys) -> bool:
    with changing(organization):
        stored = held(DataKey.objects.all(), key_id)
        plain, before = datakeys.opened(stored, masters), stored.wrapped_by
        if before == masters.wrapping.id:
            return False
        datakeys.wrap(stored, plain, masters)
        changed = {"wrapped": stored.wrapped, "wrapped_by": stored.wrapped_by}
        DataKey.objects.filter(id=key_id, wrapped_by=before).update(**changed)
        _record("data_key_rewrapped", actor, stored)
    return True


def _retire(actor: Actor, newest: DataKey, drawers: Iterable[Drawer]) -> None:
    mine = {"organization": newest.organization_id, "number__lt": newest.number}
    with changing(newest.organization_id):
        used = {row for each in drawers for row in _keys_used(each, newest)}
        for old in DataKey.objects.filter(**mine, retired_at=None).exclude(id__in=used):
            DataKey.objects.filter(id=old.id).update(retired_at=timezone.now())
            _record("data_key_retired", actor, old)


def _keys_used(drawer: Drawer, newest: DataKey) -> Iterable[UUID]:
    used: Iterable[UUID] = outdated(drawer, newest).values_list("data_key", flat=True)
    return used


def _record(event: EventType, actor: Actor, key: DataKey) -> None:
    record(
        event,
        actor=actor,
        organization=key.organization_id,
        action=f"data_key.{ACTIONS[event]}",
        target=f"data_key:{key.number}",
    )
