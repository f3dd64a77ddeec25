"""What is used asks back, and callers that can be asked or not."""

import pytest

from agentxsuite.gateway.call import Turn
from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.questions import ASKABLE, declined, outcome_of, resume
from agentxsuite.gateway.refusals import StateRefused, UpstreamFailed
from tests.unit.gateway.building import call, connection, entry
from tests.unit.gateway.shelf import gate

FORM = {"method": "elicitation/create", "params": {"mode": "form"}}
SAMPLING = {"method": "sampling/createMessage", "params": {}}
ROOTS = {"method": "roots/list"}


def asked(*requests):
    named = {str(number): request for number, request in enumerate(requests)}
    return {"resultType": "input_required", "inputRequests": named}


def asking(*able, **facts):
    able = able or ("elicitation",)
    return entry(call=call(door="mcp", askable=frozenset(able), **facts))


def test_a_question_comes_back_with_what_the_tool_remembers():
    """Otherwise: a tool that asked has forgotten what it was about."""
    here, first = gate(), asking()
    outcome = outcome_of(first, asked(FORM), here)
    assert (outcome.result_type, outcome.result["inputRequests"]) == ("input_required", {"0": FORM})
    turn = Turn({"0": {"action": "accept"}}, outcome.result["requestState"])
    second = asking(turn=turn)
    assert resume(second, here) == {"inputResponses": turn.answers}
    assert second.parent == first.run_id
    kept = outcome_of(second, asked(FORM) | {"requestState": "theirs"}, here).result["requestState"]
    third = asking(turn=Turn(None, kept))
    assert resume(third, here) == {"requestState": "theirs"}
    assert third.parent == second.run_id
    assert resume(asking(), here) == {}


def test_answers_without_state_continue_nothing():
    """Otherwise: a server that keeps no state cannot ask, or strangers claim another's question."""
    alone = asking(turn=Turn({"0": {}}, None))
    assert resume(alone, gate()) == {"inputResponses": {"0": {}}}
    assert alone.parent is None
    mute = entry(call=call(door="mcp", turn=Turn({"0": {}}, None)))
    with pytest.raises(StateRefused):
        resume(mute, gate())


def prompt(own):
    return Offer("prompt.get", connection(), own, own, f"prompt:pay/{own}")


def test_an_answer_for_anything_else_is_refused():
    """Otherwise: a yes to a small amount, or to one prompt, is a yes to another."""
    here = gate()
    turn = Turn({}, outcome_of(asking(), asked(FORM), here).result["requestState"])
    with pytest.raises(StateRefused):
        resume(asking(turn=turn, arguments={"amount": 6}), here)
    facts = {"action": "prompt.get", "arguments": {}}
    one = asking(tool="one", **facts)
    one.target = prompt("one")
    turn = Turn({}, outcome_of(one, asked(FORM), here).result["requestState"])
    other = asking(tool="other", turn=turn, **facts)
    other.target = prompt("other")
    with pytest.raises(StateRefused):
        resume(other, here)
    same = asking(tool="one", turn=turn, **facts)
    same.target = prompt("one")
    assert resume(same, here) == {"inputResponses": {}}


@pytest.mark.parametrize("request_", [FORM, SAMPLING, ROOTS])
def test_a_caller_is_asked_what_it_said_it_can_be_asked(request_):
    """Otherwise: a client gets questions that it cannot answer, or none that it can."""
    able = ASKABLE[request_["method"]]
    assert outcome_of(asking(able), asked(request_), gate()).result_type == "input_required"
    others = set(ASKABLE.values()) - {able}
    for deaf in (asking(*others), entry(call=call(door="mcp"))):
        with pytest.raises(UpstreamFailed):
            outcome_of(deaf, asked(request_), gate())


@pytest.mark.parametrize("odd", [[1], {"a": 1}, {"a": {"method": []}}, {"a": {"method": "ping"}}])
def test_what_nobody_may_be_asked_fails(odd):
    """Otherwise: a server makes clients do what no protocol has."""
    with pytest.raises(UpstreamFailed):
        outcome_of(asking(), {"resultType": "input_required", "inputRequests": odd}, gate())


def test_a_question_to_a_person_is_declined_for_whom_cannot_be_asked():
    """Otherwise: a tool asks more than it was told is possible, and the call never ends."""
    assert declined(asked(FORM)) == {"inputResponses": {"0": {"action": "decline"}}}
    assert declined(asked() | {"requestState": "s"}) == {"inputResponses": {}, "requestState": "s"}
    with pytest.raises(UpstreamFailed):
        declined(asked(FORM, SAMPLING))


def test_a_result_is_a_result():
    """Otherwise: every answer is taken for a question, or a resource's word for a failure."""
    answer = {"content": [], "isError": True}
    outcome = outcome_of(asking(), answer, gate())
    assert (outcome.is_error, outcome.result_type) == (True, "complete")
    got = asking()
    got.target = prompt("one")
    assert outcome_of(got, answer, gate()).is_error is False
