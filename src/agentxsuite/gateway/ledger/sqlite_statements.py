"""What the ledger says to SQLite: one statement a table, with all its rows.

A statement a row would hand Python's interpreter lock to and fro a hundred times a batch, and wait
for it each time. There is one text for each number of rows.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from agentxsuite.gateway.ledger import columns
from agentxsuite.gateway.rows import Row

STATEMENTS = 1024  # kept, and kept prepared

Value = str | int | float | None


def marks(width: int, height: int) -> str:
    """Placeholders of ``height`` rows of ``width`` columns."""
    row = f"({', '.join('?' * width)})"
    return ", ".join([row] * height)


@lru_cache(STATEMENTS)
def insertion(table: str, names: tuple[str, ...], count: int) -> str:
    """INSERT of ``count`` rows."""
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks(len(names), count)}"  # noqa: S608  -- our own names


@lru_cache(STATEMENTS)
def reserving(count: int) -> str:
    """INSERT of ``count`` keys, of those that are free; returns their runs."""
    return (
        f"{insertion(columns.KEY_TABLE, tuple(columns.KEY), count)} "
        f"ON CONFLICT ({', '.join(columns.ONE_KEY)}) DO NOTHING RETURNING run_id"
    )


@lru_cache(STATEMENTS)
def releasing(count: int) -> str:
    """DELETE of the keys of ``count`` runs."""
    return f"DELETE FROM {columns.KEY_TABLE} WHERE run_id IN {marks(count, 1)}"  # noqa: S608  -- our own names


@lru_cache(STATEMENTS)
def ending(count: int) -> str:
    """UPDATE of ``count`` runs, of those that have not ended; returns their ids."""
    sets = ", ".join(
        f"{name} = x.column{place}" for place, name in enumerate(columns.END, 1) if name != "id"
    )
    return (
        f"UPDATE {columns.RUN_TABLE} AS r SET {sets} {given_ends(count)} "  # noqa: S608  -- our own names
        f"WHERE r.id = x.{column('id')} AND r.{columns.UNFINISHED} RETURNING id"
    )


@lru_cache(STATEMENTS)
def recognising(count: int) -> str:
    """Those of ``count`` ends that are on record exactly so."""
    same = " AND ".join(f"r.{name} IS x.{column(name)}" for name in columns.SAME_END)
    return (
        f"SELECT r.id {given_ends(count)} "
        f"JOIN {columns.RUN_TABLE} AS r ON r.id = x.{column('id')} AND {same}"
    )


def given_ends(count: int) -> str:
    """The ends of a batch as a table."""
    return f"FROM (VALUES {marks(len(columns.END), count)}) AS x"


def column(name: str) -> str:
    """What SQLite calls a column of the table of ends."""
    return f"column{list(columns.END).index(name) + 1}"


def flat(rows: Iterable[Row], types: Mapping[str, str]) -> list[Value]:
    """All values, row by row in column order; Django keeps UUIDs on SQLite without dashes."""
    return [
        value.replace("-", "") if kind == "uuid" and isinstance(value, str) else value
        for row in rows
        for name, kind in types.items()
        for value in (row.get(name),)
    ]
