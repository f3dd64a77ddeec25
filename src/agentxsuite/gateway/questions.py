"""What is used asks back: the question goes to the caller, whose answer is a use of its own.

Nothing is kept here between the two: a seal for this caller, target and arguments travels with the
question, with the server's own state in it, if it has any. The next round is decided, limited and
recorded again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from agentxsuite.gateway.call import Entry, Outcome
from agentxsuite.gateway.forward import forward
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.record import note
from agentxsuite.gateway.refusals import StateRefused, UpstreamFailed
from agentxsuite.gateway.seals import SealBroken
from agentxsuite.wire import JSON

ASKED = "input_required"
PERSONAL = "elicitation/create"  # to a person, who can decline
# What may be asked, and the client capability that allows it.
ASKABLE = {
    PERSONAL: "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
GOOD_FOR = timedelta(minutes=10)  # in which a person answers


def resume(entry: Entry, gate: Gate) -> dict[str, JSON]:
    """What the server gets beside the arguments when it asked before; raises StateRefused.

    Answers without state continue nothing: it is for the server to see what they are worth.
    """
    turn = entry.call.turn
    if turn is None:
        return {}
    state: JSON = None
    if turn.state is not None:
        entry.parent, state = opened(turn.state, entry, gate)
    elif not entry.call.askable:
        raise StateRefused
    note(entry, gate, "answers", "The caller answers.", asked_by=entry.parent)
    given: dict[str, JSON] = {"inputResponses": turn.answers, "requestState": state}
    return {name: value for name, value in given.items() if value is not None}


def opened(text: str, entry: Entry, gate: Gate) -> tuple[str, JSON]:
    """Whose question it was, and the server's state; raises StateRefused."""
    try:
        asked_by, state = gate.seals.open(text, bound(entry), entry.call.received)
    except SealBroken:
        raise StateRefused from None
    return asked_by, state


async def put(entry: Entry, method: str, params: Mapping[str, JSON], gate: Gate) -> Outcome:
    """Ask the server; what it asks of a caller that cannot be asked is declined, once.

    Raises UpstreamFailed, UpstreamTimedOut.
    """
    target, call = entry.target, entry.call
    assert target is not None, "the target comes first"  # noqa: S101  -- narrows the type
    result = await forward(target.connection, method, params, entry.timeout, gate, call)
    if is_question(result) and not can_answer(entry, result):
        begun = entry.started or gate.clock()
        left = entry.timeout - (gate.clock() - begun).total_seconds()
        params = {**params, **declined(result)}
        result = await forward(target.connection, method, params, left, gate, call)
    return outcome_of(entry, result, gate)


def is_question(result: Mapping[str, JSON]) -> bool:
    """Whether the server asks back instead of being done."""
    return result.get("resultType") == ASKED


def can_answer(entry: Entry, result: Mapping[str, JSON]) -> bool:
    """Whether the caller said that it can be asked all this; raises UpstreamFailed."""
    able = entry.call.askable
    return bool(able) and all(ASKABLE[kind] in able for kind in questions(result).values())


def declined(result: Mapping[str, JSON]) -> dict[str, JSON]:
    """How questions to a person are answered for a caller without one; raises UpstreamFailed."""
    asked = questions(result)
    if any(kind != PERSONAL for kind in asked.values()):
        raise unanswerable()
    answers = {key: {"action": "decline"} for key in asked}
    state = result.get("requestState")
    return {"inputResponses": answers, **({} if state is None else {"requestState": state})}


def outcome_of(entry: Entry, result: Mapping[str, JSON], gate: Gate) -> Outcome:
    """What the caller gets; raises UpstreamFailed for a question that it cannot be asked."""
    if not is_question(result):
        failed = entry.tool is not None and result.get("isError") is True
        return Outcome(result, is_error=failed)
    if not can_answer(entry, result):
        raise unanswerable()
    value = [entry.run_id, result.get("requestState")]
    sealed = gate.seals.seal(value, bound(entry), entry.call.received + GOOD_FOR)
    return Outcome({**result, "requestState": sealed}, is_error=False, result_type=ASKED)


def questions(result: Mapping[str, JSON]) -> Mapping[str, str]:
    """What kind each question is of, by the server's own keys; raises UpstreamFailed."""
    asked = result.get("inputRequests") or {}
    if not isinstance(asked, dict):
        raise unanswerable()
    return {key: kind_of(request) for key, request in asked.items()}


def kind_of(request: JSON) -> str:
    """The method of a question; raises UpstreamFailed for what nobody may be asked."""
    method = request.get("method") if isinstance(request, dict) else None
    if not isinstance(method, str) or method not in ASKABLE:
        raise unanswerable()
    return method


def unanswerable() -> UpstreamFailed:
    """The refusal of a question."""
    return UpstreamFailed("upstream_protocol", "The server asks what this caller cannot be asked.")


def bound(entry: Entry) -> tuple[str, ...]:
    """Whom and what a question is about: nobody else can answer it, or for anything else."""
    principal, target, call = entry.principal, entry.target, entry.call
    assert principal is not None, "identity comes first"  # noqa: S101  -- narrows the type
    assert target is not None, "the target comes first"  # noqa: S101  -- narrows the type
    arguments = json.dumps(call.arguments, sort_keys=True).encode()
    snapshot = principal.snapshot
    place = snapshot.organization, snapshot.environment
    digest = hashlib.sha256(arguments).hexdigest()
    who = principal.subject, principal.agent.id
    return (*place, *who, call.action, target.id, call.tool, digest)
