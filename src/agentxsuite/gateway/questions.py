"""A tool that asks back: what it asks goes to the caller, whose answer is a call of its own.

Nothing is kept here between the two: the tool's own state travels with the question, sealed for
this caller, tool and arguments. The next round is decided, limited and recorded again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from agentxsuite.gateway.call import Entry, Outcome
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.record import note
from agentxsuite.gateway.refusals import StateRefused, UpstreamFailed
from agentxsuite.gateway.seals import SealBroken
from agentxsuite.wire import JSON

ASKED = "input_required"
ASKABLE = "elicitation/create"  # the one thing that an upstream is told a caller can do
GOOD_FOR = timedelta(minutes=10)  # in which a person answers


def resume(entry: Entry, gate: Gate) -> dict[str, JSON]:
    """What the tool gets beside its arguments when it asked before; raises StateRefused."""
    turn = entry.call.turn
    if turn is None:
        return {}
    try:
        opened = gate.seals.open(turn.state or "", bound(entry), entry.call.received)
    except SealBroken:
        raise StateRefused from None
    entry.parent, state = opened
    note(entry, gate, "answers", "The caller answers.", asked_by=entry.parent)
    given: dict[str, JSON] = {"inputResponses": turn.answers, "requestState": state}
    return {name: value for name, value in given.items() if value is not None}


def is_question(result: Mapping[str, JSON]) -> bool:
    """Whether the tool asks back instead of being done."""
    return result.get("resultType") == ASKED


def declined(result: Mapping[str, JSON]) -> dict[str, JSON]:
    """How a question is answered for a caller that cannot be asked; raises UpstreamFailed."""
    answers = {key: {"action": "decline"} for key in questions(result)}
    state = result.get("requestState")
    return {"inputResponses": answers, **({} if state is None else {"requestState": state})}


def outcome_of(entry: Entry, result: Mapping[str, JSON], gate: Gate) -> Outcome:
    """What the caller gets; raises UpstreamFailed for a question that it cannot be asked."""
    if not is_question(result):
        return Outcome(result, is_error=result.get("isError") is True)
    if not entry.call.askable:
        raise unanswerable()
    questions(result)
    value = [entry.run_id, result.get("requestState")]
    sealed = gate.seals.seal(value, bound(entry), entry.call.received + GOOD_FOR)
    return Outcome({**result, "requestState": sealed}, is_error=False, result_type=ASKED)


def questions(result: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """What is asked, by the tool's own keys; raises UpstreamFailed for what nobody may be asked."""
    asked = result.get("inputRequests") or {}
    if not isinstance(asked, dict) or not all(map(is_askable, asked.values())):
        raise unanswerable()
    return asked


def is_askable(request: JSON) -> bool:
    """Whether it is a question to a person."""
    return isinstance(request, dict) and request.get("method") == ASKABLE


def unanswerable() -> UpstreamFailed:
    """The refusal of a question."""
    return UpstreamFailed("upstream_protocol", "The tool asks what this caller cannot be asked.")


def bound(entry: Entry) -> tuple[str, ...]:
    """Whom and what a question is about: nobody else can answer it, or for anything else."""
    principal, tool, call = entry.principal, entry.tool, entry.call
    assert principal is not None, "identity comes first"  # noqa: S101  -- narrows the type
    assert tool is not None, "the tool comes first"  # noqa: S101  -- narrows the type
    arguments = json.dumps(call.arguments, sort_keys=True).encode()
    snapshot = principal.snapshot
    place = snapshot.organization, snapshot.environment
    digest = hashlib.sha256(arguments).hexdigest()
    return (*place, principal.subject, principal.agent.id, tool.id, digest)
