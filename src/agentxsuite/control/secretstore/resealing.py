"""Putting what one data key sealed under another: row by row, while everything is in use.

Each row is held for the moment in which it is opened and sealed again, so that whoever writes it
comes before or after, and readers see the old key with the old text or the new with the new.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from agentxsuite.control.secretstore import datakeys
from agentxsuite.control.secretstore.crypto import CannotOpen, Place, seal, unseal
from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKeys
from agentxsuite.control.secretstore.models import DataKey, SecretVersion
from agentxsuite.control.secretstore.services import place_of
from agentxsuite.control.tenancy.scope import changing

PAGE: Final = 500  # ids that are read at once


@dataclass(frozen=True, slots=True)
class Drawer:
    """A table that keeps sealed texts: in which column, and where each row's text belongs."""

    model: Any
    column: str
    place: Callable[[Any], Place]
    beside: tuple[str, ...] = ()  # rows that the place is read from


VERSIONS: Final = Drawer(
    SecretVersion,
    "ciphertext",
    lambda version: place_of(version.secret, version.number),
    ("secret",),
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A row that stays as it is, because what it holds cannot be opened; `why` shows none of it."""

    kind: str
    id: UUID
    why: str


def outdated(drawer: Drawer, newest: DataKey) -> Any:
    """Return the organization's rows that are sealed with an older key."""
    mine = {"organization": newest.organization_id, "data_key__number__lt": newest.number}
    return drawer.model.objects.filter(**mine)


def resealed(drawer: Drawer, newest: DataKey, masters: MasterKeys) -> Iterator[Stuck | None]:
    """Seal every outdated row with the newest key; yields None for each, or what stays."""
    key = datakeys.opened(newest, masters)
    for row_id in _ids(drawer, newest):
        try:
            with changing(newest.organization_id):
                _reseal(drawer, row_id, newest, key, masters)
        except (CannotOpen, KeysUnavailable) as error:
            yield Stuck(str(drawer.model._meta.verbose_name), row_id, str(error))
        else:
            yield None


def _ids(drawer: Drawer, newest: DataKey) -> Iterator[UUID]:
    """Yield the ids of outdated rows, each once, however many there are."""
    last = UUID(int=0)
    while True:
        with changing(newest.organization_id):
            rows = outdated(drawer, newest).filter(id__gt=last).order_by("id")
            page = list(rows.values_list("id", flat=True)[:PAGE])
        if not page:
            return
        yield from page
        last = page[-1]


def _reseal(drawer: Drawer, row_id: UUID, newest: DataKey, key: bytes, masters: MasterKeys) -> None:
    rows = outdated(drawer, newest).select_for_update(of=("self",), no_key=True)
    row = rows.select_related("data_key", *drawer.beside).filter(id=row_id).first()
    if row is None:  # deleted, or sealed anew by somebody else
        return
    sealed, place = bytes(getattr(row, drawer.column)), drawer.place(row)
    plain = unseal(datakeys.opened(row.data_key, masters), sealed, place)
    changed = {"data_key": newest, drawer.column: seal(key, plain, place)}
    drawer.model.objects.filter(id=row_id, data_key=row.data_key_id).update(**changed)
