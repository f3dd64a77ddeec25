"""One organization's facts as they are at one moment, and what of them a snapshot lacks."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection as database
from psycopg import Connection, IsolationLevel

from agentxsuite.control.tenancy.models import Environment, Touched
from agentxsuite.control.tenancy.scope import seeing

MANY = 5000  # things that changed: beyond it everything is read
Changes = Mapping[str, Collection[str]]  # ids by kind

Fact = TypeVar("Fact")


@contextmanager
def one_view(organization: str) -> Iterator[None]:
    """One view of the database for several queries, which see one organization only."""
    if database.connection is not None and not database.is_usable():
        database.close()
    if database.vendor == "postgresql":
        database.ensure_connection()
        with frozen(database.connection), seeing([organization]):
            yield
        return
    # On SQLite ``atomic`` would take the write lock; a deferred transaction reads beside writers.
    with database.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


@contextmanager
def frozen(link: "Connection[tuple[object, ...]]") -> Iterator[None]:
    """Let the transactions of a connection read, and see nothing that is committed meanwhile."""
    link.isolation_level, link.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        yield
    finally:
        thaw(link)


def thaw(link: "Connection[tuple[object, ...]]") -> None:
    """Make a connection that is not lost what it was."""
    if not link.closed:
        link.isolation_level = link.read_only = None


def changes_since(environment: Environment, revision: int) -> Changes | None:
    """What was touched since a revision; None when that is too much to be told."""
    touched = Touched.objects.filter(environment=environment, revision__gt=revision)
    rows = touched.values_list("kind", "subject")[: MANY + 1]
    if len(rows) > MANY:
        return None
    changes: defaultdict[str, set[str]] = defaultdict(set)
    for kind, subject in rows:
        changes[kind].add(str(subject))
    return changes


def merged(
    before: Mapping[str, Fact], gone: Collection[str], fresh: Mapping[str, Fact]
) -> dict[str, Fact]:
    """What was known, without what may have gone, and with what has been read."""
    facts = dict(before)
    for identifier in gone:
        facts.pop(identifier, None)
    facts.update(fresh)
    return facts
