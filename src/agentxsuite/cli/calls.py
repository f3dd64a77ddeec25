"""call: one governed call of a tool, as an agent."""

import sys
from dataclasses import dataclass
from shlex import quote
from typing import Annotated, Any, Final

import typer

from agentxsuite.cli import names
from agentxsuite.cli.arguments import arguments, parsed
from agentxsuite.cli.command import command
from agentxsuite.cli.failures import Misused, Refused
from agentxsuite.cli.output import Answer, note, pretty
from agentxsuite.cli.panels import EVIDENCE
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session

LONGEST: Final = 300.0
USUAL: Final = 30.0
MARGIN: Final = 30.0  # seconds for all that is not the tool's own work
PIPED: Final = "-"


@dataclass(frozen=True, slots=True)
class Wish:
    """A call."""

    tool: Annotated[str, typer.Argument(help="CONNECTION/TOOL, or its id", show_default=False)]
    words: Annotated[
        list[str] | None,
        typer.Argument(help="its arguments: key=value, key:=json", metavar="[KEY=VALUE]..."),
    ] = None
    agent: Annotated[
        str | None, typer.Option(help="who calls: slug, name or id; not needed for the only one")
    ] = None
    timeout: Annotated[
        float | None, typer.Option(min=1, max=LONGEST, help="seconds that the tool has")
    ] = None
    idempotency_key: Annotated[
        str | None, typer.Option(help="with the same key the call is never run twice")
    ] = None
    input: Annotated[
        str | None, typer.Option(help="all arguments as one JSON object; - reads standard input")
    ] = None


def add(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "call", panel=EVIDENCE)(call)


def call(session: Session, wish: Wish) -> Answer:
    """Call a tool as an agent: decided, limited, checked and recorded like every call."""
    who = names.agent(session, wish.agent)
    body = {
        "agent": who["id"],
        "tool": wish.tool,
        "input": given(session, wish),
        "environment": who["environment"],
        **({"timeout_seconds": wish.timeout} if wish.timeout else {}),
    }
    headers = {"Idempotency-Key": key(wish.idempotency_key)} if wish.idempotency_key else {}
    patience = (wish.timeout or USUAL) + MARGIN
    try:
        found = session.post("runs/execute/", body, headers=headers, timeout=patience)
    except Refused as refused:
        refused.hint = refused.hint.replace("SLUG", who["slug"]).replace("NAME", quote(wish.tool))
        raise
    spent = found["execution"]["duration_ms"]
    note(f"run {found['run_id']} {found['status']} in {spent} ms")
    return Answer(found, tuple(contents(found["result"])), failed=found["result"]["isError"])


def given(session: Session, wish: Wish) -> dict[str, Any]:
    """Return the call's arguments; raises Misused."""
    if wish.input is not None:
        if wish.words:
            raise Misused("give either --input or key=value")
        text = sys.stdin.read() if wish.input == PIPED else wish.input
        if not isinstance(value := parsed("--input", text), dict):
            raise Misused("--input is not a JSON object")
        return value
    if not wish.words:
        return {}
    return arguments(wish.words, names.tool(session, wish.tool)["schema_json"])


def key(text: str) -> str:
    """Return an Idempotency-Key that a header can carry; raises Misused."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Misused("--idempotency-key is visible ASCII characters")
    return text


def contents(result: Row) -> list[str]:
    """Return what a tool answered, in lines; its structure where it has no words for it."""
    lines = [content(each) for each in result["content"]]
    if not lines and "structuredContent" in result:
        return [pretty(result["structuredContent"])]
    return lines


def content(part: Row) -> str:
    """Return one part of an answer: text as it is, anything else by its kind."""
    if part.get("type") == "text":
        return str(part.get("text", ""))
    about = part.get("mimeType") or part.get("uri") or part.get("resource", {}).get("uri") or ""
    return f"[{part.get('type')} {about}]".replace(" ]", "]")
