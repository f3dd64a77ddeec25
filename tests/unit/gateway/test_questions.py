"""Tools that ask back, and callers that can be asked or not."""

import pytest
from msgspec import structs

from agentxsuite.gateway.call import Turn
from agentxsuite.gateway.questions import declined, outcome_of, resume
from agentxsuite.gateway.refusals import StateRefused, UpstreamFailed
from tests.unit.gateway.building import call, entry
from tests.unit.gateway.shelf import gate

FORM = {"method": "elicitation/create", "params": {"mode": "form"}}
ASKED = {"resultType": "input_required", "inputRequests": {"a": FORM}}
SAMPLING = {"resultType": "input_required", "inputRequests": {"a": {"method": "sampling/create"}}}


def asking(**facts):
    return entry(call=call(door="mcp", askable=True, **facts))


def test_a_question_comes_back_with_what_the_tool_remembers():
    """Otherwise: a tool that asked has forgotten what it was about."""
    here, first = gate(), asking()
    outcome = outcome_of(first, ASKED, here)
    assert (outcome.result_type, outcome.result["inputRequests"]) == ("input_required", {"a": FORM})
    turn = Turn({"a": {"action": "accept"}}, outcome.result["requestState"])
    second = asking(turn=turn)
    assert resume(second, here) == {"inputResponses": turn.answers}
    assert second.parent == first.run_id
    kept = outcome_of(second, ASKED | {"requestState": "theirs"}, here).result["requestState"]
    third = asking(turn=Turn(None, kept))
    assert resume(third, here) == {"requestState": "theirs"}
    assert third.parent == second.run_id
    assert resume(asking(), here) == {}


def test_an_answer_for_other_arguments_is_refused():
    """Otherwise: a yes to a small amount is a yes to a large one."""
    here = gate()
    state = outcome_of(asking(), ASKED, here).result["requestState"]
    with pytest.raises(StateRefused):
        resume(asking(turn=Turn({}, state), arguments={"amount": 6}), here)
    with pytest.raises(StateRefused):
        resume(asking(turn=Turn({}, None)), here)


def test_what_cannot_be_asked_fails_or_is_declined():
    """Otherwise: a tool asks for more than it was told is possible, and the call never ends."""
    assert declined(ASKED) == {"inputResponses": {"a": {"action": "decline"}}}
    assert declined(ASKED | {"requestState": "s"})["requestState"] == "s"
    for odd in (SAMPLING, {"inputRequests": [1]}, {"inputRequests": {"a": 1}}):
        with pytest.raises(UpstreamFailed):
            declined(odd)
    with pytest.raises(UpstreamFailed):
        outcome_of(asking(), SAMPLING, gate())
    deaf = asking()
    deaf.call = structs.replace(deaf.call, askable=False)
    with pytest.raises(UpstreamFailed):
        outcome_of(deaf, ASKED, gate())


def test_a_result_is_a_result():
    """Otherwise: every answer is taken for a question."""
    outcome = outcome_of(asking(), {"content": [], "isError": True}, gate())
    assert (outcome.is_error, outcome.result_type) == (True, "complete")
