"""One server into the environment: its secret, its connection, a test and a sync."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from agentxsuite.cli.failures import Failure, Refused
from agentxsuite.cli.hints import hint_for
from agentxsuite.cli.mcp_file import Credential, Entry
from agentxsuite.cli.output import Answer, Columns, grid
from agentxsuite.cli.rows import Row
from agentxsuite.cli.session import Session

LIKE: Final = ("endpoint", "auth_method", "auth_config")
COLUMNS: Final[Columns] = {
    "server": "name",
    "connection": "connection",
    "what": "state",
    "status": "status",
    "tools": "tools",
    "reason": "reason",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one server: how many `tools` can be called, which are `waiting` for review."""

    name: str
    state: str
    connection: str | None = None
    status: str | None = None
    tools: int | None = None
    waiting: tuple[str, ...] = ()
    reason: str = ""
    hint: str = field(default="", repr=False)
    failed: bool = False

    def because(self, refused: Failure) -> "Outcome":
        """The same, ended by a refusal."""
        return replace(self, reason=refused.detail, hint=refused.hint, failed=True)


def bring(session: Session, entry: Entry, known: Mapping[str, Row], *, update: bool) -> Outcome:
    """Make the connection of one server, or find it, and ask the server for its tools."""
    row, state = known.get(entry.name), "kept"
    try:
        if row is None:
            row, state = made(session, entry), "made"
        elif update:
            row, state = changed(session, entry, row), "changed"
        elif differs(entry, row):
            reason = f"there is a connection of that name, to {row['endpoint']}"
            return Outcome(
                entry.name,
                "differs",
                row["slug"],
                row["status"],
                None,
                (),
                reason,
                "--update",
                failed=True,
            )
    except Refused as refused:
        return Outcome(entry.name, "failed").because(refused)
    return asked(session, row, Outcome(entry.name, state, row["slug"]))


def asked(session: Session, row: Row, outcome: Outcome) -> Outcome:
    """Test a connection, and take in the tools of its server."""
    try:
        probe = session.api.post(f"connections/{row['id']}/test/")
        outcome = replace(outcome, status=probe["status"])
        if probe["status"] != "ok":
            hint = hint_for({"code": probe["code"]})
            return replace(outcome, reason=probe["reason"], hint=hint, failed=True)
        return counted(outcome, session.api.post(f"connections/{row['id']}/sync/"))
    except Refused as refused:
        return outcome.because(refused)


def counted(outcome: Outcome, sync: Mapping[str, Any]) -> Outcome:
    """Note what a sync found."""
    names = {*sync["added"], *sync["changed"], *sync["unchanged"], *sync["returned"]}
    waiting = tuple(sorted({*sync["quarantined"], *sync["changed"]}))
    reason = f"{len(waiting)} to be reviewed" if waiting else ""
    hint = "agentxsuite tools approve --all" if waiting else ""
    return replace(
        outcome, tools=len(names - set(waiting)), waiting=waiting, reason=reason, hint=hint
    )


def differs(entry: Entry, row: Row) -> bool:
    """Whether a connection leads elsewhere, or logs in another way, than the entry."""
    return any(row[name] != value for name, value in shape(entry).items())


def shape(entry: Entry) -> dict[str, Any]:
    """Return an entry in the API's words, without its secret."""
    known = entry.credential
    return dict(zip(LIKE, (entry.endpoint, known.method, dict(known.config)), strict=True))


def made(session: Session, entry: Entry) -> Row:
    """Make the connection; its secret does not stay behind when that is refused."""
    ref = stored(session, entry.name, entry.credential)
    facts = {**shape(entry), "name": entry.name, "environment": session.environment}
    try:
        return dict(session.post("connections/", {**facts, "secret_ref": ref}))
    except Refused:
        if ref is not None:
            with suppress(Failure):
                session.api.delete(session.of(f"secrets/{ref}/"))
        raise


def changed(session: Session, entry: Entry, row: Row) -> Row:
    """Bring a connection to what the entry says; a secret that it has gets a new version."""
    ref, secret = row["secret_ref"], entry.credential.secret
    if secret is None:
        ref = None
    elif ref is None:
        ref = stored(session, entry.name, entry.credential)
    else:
        session.post(f"secrets/{ref}/versions/", {"value": secret})
    return dict(session.patch(f"connections/{row['id']}/", {**shape(entry), "secret_ref": ref}))


def stored(session: Session, name: str, known: Credential) -> str | None:
    """Store a credential; the reference to it."""
    if known.secret is None:
        return None
    body = {"value": known.secret, "purpose": f"{name} login", "environment": session.environment}
    return str(session.post("connections/store-secret/", body)["secret_ref"])


def summary(outcomes: list[Outcome], said: Callable[[Outcome], str] | None = None) -> Answer:
    """Show what became of each; one that failed makes the command fail."""
    rows = [public(each) for each in outcomes]
    hints = dict.fromkeys(f"try: {each.hint}" for each in outcomes if each.hint)
    more = [text for each in outcomes if said and (text := said(each))]
    return Answer(
        rows, (grid(rows, COLUMNS), *hints, *more), failed=any(each.failed for each in outcomes)
    )


def public(outcome: Outcome) -> Row:
    """Return an outcome as JSON has it."""
    return {**asdict(outcome), "waiting": list(outcome.waiting)}
