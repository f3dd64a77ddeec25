"""From what a person types, an id, a name or a slug, to the one row that is meant."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from agentxsuite.cli.failures import Misused
from agentxsuite.cli.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentxsuite.cli.session import Session

SHOWN: Final = 10  # names that an error lists


def is_id(text: str) -> bool:
    """Whether a text is an id, and no name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def pick(rows: "Sequence[Row]", text: str, noun: str, *keys: str) -> Row:
    """Return the row that a text means by its id or one of its keys; raises Misused.

    The exact spelling comes first, then the same in other case.
    """
    for same in (str, str.casefold):
        meant = [row for row in rows if same(text) in {same(row[key]) for key in ("id", *keys)}]
        if meant:
            return only(meant, noun, "its id")
    known = ", ".join(str(row[keys[0]]) for row in rows[:SHOWN]) or "none"
    raise Misused(
        f"there is no {noun} {text!r} that you may see; there is: {known}", "", "not_found"
    )


def only(rows: "Sequence[Row]", noun: str, how: str) -> Row:
    """Return the one row that there is; raises Misused."""
    if len(rows) > 1:
        known = ", ".join(f"{row['name']} ({row['id']})" for row in rows[:SHOWN])
        raise Misused(f"which {noun}? There are several: {known}", how)
    return rows[0]


def connection(session: "Session", text: str) -> Row:
    """Return a connection by id, slug or name."""
    return _found(session, "connections", text, "slug", "name")


def agent(session: "Session", text: str | None) -> Row:
    """Return an agent by id, slug or name; without a text the only one of the environment."""
    if text is not None:
        return _found(session, "agents", text, "slug", "name")
    there = session.every("agents/", environment=session.environment)
    if not there:
        raise Misused("there is no agent yet", "agentxsuite agents create NAME --allow TOOL")
    return only(there, "agent", "--agent SLUG")


def tool(session: "Session", text: str) -> Row:
    """Return a tool by id or by its whole name, `<connection>/<tool>`."""
    return _found(session, "tools", text, "name")


def _found(session: "Session", nouns: str, text: str, *keys: str) -> Row:
    if is_id(text):
        return dict(session.get(f"{nouns}/{text}/"))
    for key in keys:
        narrowed: Row = {"environment": session.environment, key: text}
        rows = session.every(f"{nouns}/", **narrowed)
        if meant := [row for row in rows if row[key] == text]:  # a `*` asks for more than one
            return only(meant, nouns[:-1], "its id")
    hint = f"agentxsuite {nouns} list"
    raise Misused(f"there is no {nouns[:-1]} {text!r} here that you may see", hint, "not_found")
