"""Which organizations a transaction sees: the second wall, behind the tenant door.

On PostgreSQL row-level security shows the role `app` only rows of the organizations that stand in
a list, and the list is set for one transaction at a time, so that no pooled connection carries it
over. Without a list there are no rows. On SQLite there is nothing of the kind.

A scope inside a scope can only narrow it: whoever reads within the door's scope and then hands a
foreign row to a service fails there, and not in silence.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

LIST = "agentxsuite.organizations"  # the setting that the policies read; uuids with commas
SHOW = f"SELECT set_config('{LIST}', %s, true)"
SHOWN = f"SELECT coalesce(current_setting('{LIST}', true), '')"
INSTALLATION = "00000000-0000-0000-0000-000000000000"  # in a list: events of no organization

Organizations = frozenset[str]

_seen: ContextVar[Organizations | None] = ContextVar("seen", default=None)


class ScopeWidened(RuntimeError):
    """A defect of ours: code within one organization's scope reached for another's rows."""


def open_scope() -> Organizations | None:
    """Return the organizations that the running code sees, or None outside of every scope."""
    return _seen.get()


@contextmanager
def seeing(organizations: Iterable[UUID | str] = ()) -> Iterator[None]:
    """See these organizations only: on PostgreSQL for one transaction, which this opens.

    Raises ScopeWidened within a scope that sees less.
    """
    wanted, outer = frozenset(map(str, organizations)), _seen.get()
    if outer is not None and not wanted <= outer:
        raise ScopeWidened(f"{sorted(wanted - outer)} not in scope")
    token = _seen.set(wanted)
    try:
        with _listed(wanted):
            yield
    finally:
        _seen.reset(token)


@contextmanager
def changing(organization: UUID | str, *, new: bool = False) -> Iterator[None]:
    """Run one transaction that sees and changes rows of one organization only.

    A `new` one is about to be founded, so no outer scope can have it. Raises ScopeWidened.
    """
    outer = _seen.get()
    if new and outer is not None:
        admit([*outer, organization])
    with transaction.atomic(), seeing([organization]):
        yield


@contextmanager
def seeing_only(owner: UUID) -> Iterator[None]:
    """See rows of this owner alone for a moment, whatever the scope is; for keys of callers.

    Whoever calls it has a transaction open.
    """
    alone = frozenset([str(owner)])
    token = _seen.set(alone)
    try:
        with _listed(alone):
            yield
    finally:
        _seen.reset(token)


def admit(organizations: Iterable[UUID | str]) -> None:
    """Let the rest of the scope that is open see these organizations; for the tenant door alone.

    Outside of every scope, as when a service is called by hand, there is nothing to admit to.
    """
    if _seen.get() is not None:
        _seen.set(frozenset(map(str, organizations)))
        _show(_seen.get() or ())


@contextmanager
def _listed(wanted: Organizations) -> Iterator[None]:
    """Set the list; a transaction that goes on afterwards gets its own one back.

    After an error there is nothing to give back: what is rolled back takes its setting along.
    """
    if connection.vendor != "postgresql":
        yield
        return
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _shown() if nested else ()
        _show(wanted)
        yield
        if nested:
            _show(before)


def _shown() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(SHOWN)
        return list(filter(None, cursor.fetchone()[0].split(",")))


def _show(organizations: Iterable[str]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SHOW, [",".join(sorted(organizations))])
