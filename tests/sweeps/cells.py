"""The cells of a row: everybody who might send its request, and what must become of it.

`granted`    it is done, and what it did is on record
`forbidden`  403: a member whose role is too low
`missing`    404, to the byte as for what is not there
`unknown`    what the body names is not there: the same answer as for what nobody has
`empty`      a list narrowed to what is not there: the same empty page as for what nobody has
`stopped`    401 with a challenge
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.sweeps.rows import LADDER, Place, Row

STRANGER, NOBODY, AGENT = "stranger", "nobody", "agent"


@dataclass(frozen=True)
class Cell:
    """Who asks, what becomes of it, and what of the request belongs to another company."""

    becomes: str
    caller: str
    path: tuple[str, ...] = ()
    body: Place = ()
    query: str = ""

    def __str__(self) -> str:
        named = [*self.path, *map(str, self.body), self.query]
        return " ".join(filter(None, [self.becomes, self.caller, *named]))


def cells(row: Row) -> Iterator[Cell]:
    """Every cell of a row."""
    yield from of_members(row)
    yield from of_strangers(row)
    yield from of_foreign(row)
    if row.who != "public":
        yield Cell("stopped", NOBODY)
        yield Cell("granted" if row.agents else "stopped", AGENT)


def of_members(row: Row) -> Iterator[Cell]:
    """Each role, granted or not."""
    if row.who == "public":
        yield Cell("granted", NOBODY)
        return
    if row.who == "installation":
        yield from (Cell("missing", role) for role in LADDER)
        return
    for role in LADDER[:1] if row.fresh else LADDER:
        if row.once and row.may(role) and role != row.who:
            continue
        yield Cell("granted" if row.may(role) else "forbidden", role)


def of_strangers(row: Row) -> Iterator[Cell]:
    """Who owns another company, with the rows of this one."""
    if row.in_path:
        yield Cell("missing", STRANGER, path=row.in_path)
    elif row.who == "installation":
        yield Cell("missing", STRANGER)
    elif row.who == "anyone" and not row.fresh:
        yield Cell("granted", STRANGER)
    elif row.who != "public":
        yield from (Cell("unknown", STRANGER, body=place) for place in row.in_body[:1])


def of_foreign(row: Row) -> Iterator[Cell]:
    """Who owns this company, with rows of another one: each at a time, and the whole path."""
    caller = NOBODY if row.who == "public" else "owner"
    for name in row.in_path:
        yield Cell("missing", caller, path=(name,))
    for names in whole_paths(row):
        if len(names) > 1:
            yield Cell("missing", caller, path=names)
    for place in row.in_body:
        yield Cell("unknown", caller, body=place)
    for name in row.filters:
        yield Cell("empty", caller, query=name)


def whole_paths(row: Row) -> Iterator[tuple[str, ...]]:
    """Everything in the path, and everything but the organization: as for a row and its parent."""
    within = tuple(name for name in row.in_path if name != "org")
    yield from filter(None, dict.fromkeys((row.in_path, within)))
