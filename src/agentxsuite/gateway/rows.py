"""What a call leaves in the database, as rows: column name to value, JSON columns as text.

Pure: an ``Entry`` in, rows out. The ledgers write them as they stand.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from agentxsuite import wire
from agentxsuite.engines.pdp import redact
from agentxsuite.gateway.call import Call, Entry, Principal, new_id
from agentxsuite.gateway.refusals import Bearer, Denied, Refusal

Row = dict[str, str | int | float | None]

ROWS_BYTES = 4096  # of a change without its payload, about
STORED_BYTES = 64 * 1024  # of an input or an output; beyond, its digest stands for it
TARGET_LENGTH = 640  # characters: four bytes each, the index of events takes no more than 2,700
INVOKE = "tool.invoke"
KINDS = {INVOKE: "tool", "resource.read": "resource", "prompt.get": "prompt"}
ACTIONS = {kind: action for action, kind in KINDS.items()}
TOLD_LENGTH = 500  # characters of a name that a caller made up


class Change(Struct, frozen=True):
    """Rows that become durable together: a run begun or ended, its steps, its events.

    ``key`` is the idempotency key that is reserved for ``run``, or nothing is written. ``release``
    gives the key of the run that ends free again.
    """

    run: Row | None = None
    end: Row | None = None
    steps: Sequence[Row] = ()
    events: Sequence[Row] = ()
    key: Row | None = None
    release: bool = False

    @property
    def run_id(self) -> str | None:
        """The run that it begins or ends."""
        row = self.run or self.end
        return str(row["id"]) if row else None

    @property
    def weight(self) -> int:
        """About how many bytes it holds: its payload, and what every change has."""
        payload = (self.run and self.run["input_json"]) or (self.end and self.end["output_json"])
        return len(str(payload or "")) + ROWS_BYTES


class WorkerRow(Struct, frozen=True):
    """A process that runs tools, as its lease names it."""

    id: str
    host: str
    process: int


class LostRun(Struct, frozen=True):
    """A run that nobody will end any more; without its payload. Times are as ``stamp`` writes."""

    id: str
    organization_id: str
    environment_id: str
    agent_id: str
    tool_id: str
    agent_name: str
    tool_name: str
    subject: str
    run_as_user_id: str | None
    door: str
    decision_id: str
    status: str
    outcome_code: str | None
    timeout_seconds: float
    worker_id: str | None
    started_at: str | None
    dispatched_at: str | None
    ended_at: str | None
    cancel_requested_at: str | None


def started(entry: Entry) -> Change:
    """The run as it stands just before the upstream is called."""
    event = event_row(entry, "run_started", "allow", start_facts(entry))
    return Change(run_row(entry, "running"), None, step_rows(entry), [event])


def use_started(entry: Entry) -> Change:
    """A use that is no run was allowed and begins: an event."""
    return Change(events=[event_row(entry, "use_started", "allow", start_facts(entry))])


def finished(entry: Entry) -> Change:
    """The end of a run that was started, or of a use."""
    status, outcome_code = verdict(entry)
    facts = {"status": status, "outcome_code": outcome_code, "duration_ms": duration(entry)}
    if entry.tool is None:
        return Change(events=[event_row(entry, "use_finished", "allow", facts)])
    event = event_row(entry, "run_finished", "allow", facts)
    output = entry.outcome.result if entry.outcome else None
    end: Row = {
        "id": entry.run_id,
        "status": status,
        "outcome_code": outcome_code,
        "ended_at": stamp(entry.ended),
        "output_json": None if output is None else stored(output, "output", entry),
        "error_text": plain(error_text(entry)),
        "result_type": entry.outcome.result_type if entry.outcome else "complete",
    }
    return Change(None, end, step_rows(entry), [event])


def refused(entry: Entry, refusal: Refusal) -> Change:
    """A call that was not run: a Run and an event; without agent or tool only the event."""
    facts = {"code": refusal.code, "detail": refusal.detail}
    if refusal.bearer and refusal.bearer.token_id:
        facts["token_id"] = refusal.bearer.token_id
    event = event_row(entry, refusal_event(entry, refusal), "deny", facts)
    if run_of(entry) is None:
        return Change(events=[event])
    return Change(run_row(entry, "failed"), None, step_rows(entry), [event])


def refusal_event(entry: Entry, refusal: Refusal) -> str:
    """The audit's name for a refusal."""
    if entry.principal is None:
        return "call_unauthenticated"
    if entry.call.action != INVOKE:
        return "use_refused"
    if entry.target is None:
        return "call_unknown_tool"
    return f"run_{refusal.outcome or 'denied'}"


def run_of(entry: Entry) -> str | None:
    """The id of the run that an entry is written as, if it is one: agent and tool are known."""
    return entry.run_id if entry.principal and entry.tool else None


def counted(key: tuple[str | None, str | None, str, str, str], count: int, now: datetime) -> Change:
    """Refusals beyond what is written one by one, as one event with their number."""
    organization, environment, source, target, code = key
    subject = "anonymous" if source.startswith("address:") else source
    return Change(
        events=[
            {
                **blank_event(organization, environment, now),
                "event_type": "refusals_counted",
                "event_data": dump({"code": code, "count": count, "source": source}),
                "subject": subject,
                "action": ACTIONS.get(target.partition(":")[0], INVOKE),
                "target": plain(target)[:TARGET_LENGTH],
                "decision": "deny",
            }
        ]
    )


def run_row(entry: Entry, status: str) -> Row:
    """The run, with the names of things as they are now."""
    call, principal, tool = entry.call, entry.principal, entry.tool
    assert principal is not None, "a run has an agent"  # noqa: S101  -- narrows the type
    assert tool is not None, "a run has a tool"  # noqa: S101  -- narrows the type
    refusal = entry.refusal
    return {
        "id": entry.run_id,
        "organization_id": principal.snapshot.organization,
        "environment_id": principal.snapshot.environment,
        "agent_id": principal.agent.id,
        "tool_id": tool.id,
        "status": status,
        "outcome_code": refusal.outcome if refusal else None,
        "started_at": stamp(entry.started),
        "ended_at": stamp(entry.ended),
        "input_json": stored(call.arguments, "input", entry),
        "output_json": None,
        "error_text": plain(refusal.detail) if refusal else "",
        "created_at": stamp(call.received),
        "agent_name": principal.agent.name,
        "tool_name": tool.name,
        "tool_version": tool.version,
        "subject": principal.subject,
        "run_as_user_id": principal.member.user if principal.member else None,
        "decision_id": entry.decision_id,
        "timeout_seconds": entry.timeout,
        "door": call.door,
        "result_type": "complete",
        "parent_run_id": entry.parent,
        "worker_id": entry.worker_id,
        "dispatched_at": stamp(entry.started),
    }


def step_rows(entry: Entry) -> list[Row]:
    """The steps noted since the last change was written."""
    organization = entry.principal.snapshot.organization if entry.principal else None
    steps, entry.steps = entry.steps, []
    return [
        {
            "id": new_id(),
            "run_id": entry.run_id,
            "organization_id": organization,
            "step_type": step.step_type,
            "message": plain(step.message),
            "details": dump(step.details),
            "timestamp": stamp(step.timestamp),
        }
        for step in steps
    ]


def event_row(entry: Entry, event_type: str, decision: str, facts: Mapping[str, wire.JSON]) -> Row:
    """One audit event, with no blanks where something is known."""
    call, principal, target = entry.call, entry.principal, entry.target
    snapshot = principal.snapshot if principal else None
    rule = entry.decision.determining if entry.decision and not overruled(entry) else None
    bearer = entry.refusal.bearer if entry.refusal else None
    place = snapshot or bearer
    row = blank_event(
        place.organization if place else None,
        place.environment if place else None,
        entry.ended or entry.started or call.received,
    )
    row |= {
        "event_type": event_type,
        "event_data": dump(facts),
        "subject": subject(principal, bearer),
        "action": call.action,
        "target": plain(target.target if target else aimed_at(call))[:TARGET_LENGTH],
        "decision": decision,
        "run_id": run_of(entry),
        "decision_id": entry.decision_id,
        "context": whence(entry),
    }
    if rule:
        row |= {
            "rule_id": rule.rule_id,
            "rule_name": rule.rule_name,
            "policy_id": rule.policy_id,
            "policy_version": rule.policy_version,
        }
    return row


def overruled(entry: Entry) -> bool:
    """Whether a fact that no policy overrides denied the call, so that no rule did."""
    refusal, decision = entry.refusal, entry.decision
    return isinstance(refusal, Denied) and decision is not None and refusal.code != decision.reason


def subject(principal: Principal | None, bearer: Bearer | None) -> str:
    """Who it was, as far as that is proven."""
    if principal is not None:
        return principal.subject
    return f"agent:{bearer.agent}" if bearer else "anonymous"


def aimed_at(call: Call) -> str:
    """The target of a call that found no tool."""
    kind = KINDS.get(call.action)
    aim = f"{kind}:{call.tool}" if kind and call.tool else f"environment:{call.environment}"
    return aim[:TOLD_LENGTH]


def plain(text: str) -> str:
    """A text column's text: PostgreSQL refuses NUL."""
    return text.replace("\0", "\ufffd")


def blank_event(organization: str | None, environment: str | None, now: datetime) -> Row:
    """An event's columns before anything is known but when and where."""
    moment = stamp(now)
    return {
        "id": new_id(),
        "organization_id": organization,
        "environment_id": environment,
        "ts": moment,
        "created_at": moment,
        "rule_id": None,
        "rule_name": "",
        "policy_id": None,
        "policy_version": None,
        "run_id": None,
        "decision_id": None,
        "context": "{}",
    }


def whence(entry: Entry) -> str:
    """The context column's text, made once a call."""
    if entry.principal is None:
        return dump(context(entry.call, None))
    entry.whence = entry.whence or dump(context(entry.call, entry.principal))
    return entry.whence


def context(call: Call, principal: Principal | None) -> dict[str, wire.JSON]:
    """Where a call came from, and who stands behind it."""
    known: dict[str, wire.JSON] = {"ip": call.address, "client": call.client, "door": call.door}
    if principal is None:
        environment = call.environment and call.environment[:TOLD_LENGTH]
        return known | {"organization": call.organization, "environment": environment}
    known |= {"auth_method": principal.auth_method, "agent": principal.agent.id}
    known["agent_name"] = principal.agent.name
    if principal.member:
        known["user_email"] = principal.member.email
    return known


def start_facts(entry: Entry) -> dict[str, wire.JSON]:
    """What an auditor asks of a run that was let through."""
    target, decision = entry.target, entry.decision
    facts: dict[str, wire.JSON] = {
        "reason": decision.reason if decision else None,
        "timeout_seconds": entry.timeout,
        "secret_version": target.connection.secret_version if target else None,
    }
    return facts | {"tool_version": entry.tool.version} if entry.tool else facts


def verdict(entry: Entry) -> tuple[str, str | None]:
    """(status, outcome_code) of a run that was started."""
    if entry.refusal is not None:
        return "failed", entry.refusal.outcome or "upstream_error"
    if entry.outcome is None:
        return "failed", "cancelled"
    return ("failed", "tool_error") if entry.outcome.is_error else ("succeeded", None)


def error_text(entry: Entry) -> str:
    """Why a run failed, in one sentence; empty when it did not."""
    if entry.refusal is not None:
        return entry.refusal.detail
    if entry.outcome is None:
        return "The caller went away."
    return "The tool answered with an error." if entry.outcome.is_error else ""


def duration(entry: Entry) -> int:
    """Milliseconds from dispatch to answer."""
    if entry.started is None or entry.ended is None:
        return 0
    return round((entry.ended - entry.started).total_seconds() * 1000)


def stored(value: wire.JSON, root: str, entry: Entry) -> str:
    """A payload as it is kept: redacted, at most 64 KiB, else its digest.

    PostgreSQL's JSON cannot hold NUL; such a payload is kept as its digest too.
    """
    paths = entry.decision.terms.redact if entry.decision else ()
    body = wire.dumps(redact({root: value}, paths)[root] if paths else value)
    if len(body) <= STORED_BYTES and not wire.holds_nul(body):
        return body.decode()
    digest = hashlib.sha256(body).hexdigest()
    return dump({"truncated": True, "sha256": digest, "bytes": len(body)})


def dump(value: wire.JSON) -> str:
    """A JSON column's text; NUL, which PostgreSQL refuses, becomes the replacement character."""
    return wire.without_nul(wire.dumps(value)).decode()


@lru_cache(256)
def stamp(moment: datetime | None) -> str | None:
    """A timestamp column's text, in UTC, as both databases read and order it."""
    return moment.isoformat(" ", "microseconds")[:26] if moment else None
