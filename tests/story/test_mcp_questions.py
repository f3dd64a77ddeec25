"""Tools ask back: new-era peers through the gateway, each round decided and on record."""

import pytest
from asgiref.sync import sync_to_async
from mcp_types import ElicitResult

from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import META, MODERN
from tests.story.talking import talking

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ABLE = {"elicitation": {"form": {}, "url": {}}}
DAY = {"name": "tests__booking", "arguments": {"day": "Monday"}}


@sync_to_async
def runs():
    return list(Run.objects.order_by("id"))


async def answering(_context, params):
    if params.mode == "url":
        assert params.url == "https://pay.example/1"
        return ElicitResult(action="accept")
    assert params.message == "Who comes on Monday?"
    return ElicitResult(action="accept", content={"name": "Ann"})


@pytest.mark.parametrize("mode", ["auto", MODERN])
async def test_a_tool_asks_and_a_person_answers(client, world, mode):
    """Otherwise: tools that need a word from a person cannot be used through the gateway."""
    await sync_to_async(world.allow)()
    async with talking(client, world, mode, elicitation_callback=answering) as connected:
        result = await connected.call_tool("tests__booking", {"day": "Monday"})
    assert result.content[0].text == "Ann, accept, for Monday"
    first, second = await runs()
    assert (first.result_type, second.result_type) == ("input_required", "complete")
    assert (first.parent_run_id, second.parent_run_id) == (None, first.id)
    assert (first.status, second.status) == ("succeeded", "succeeded")


async def test_who_cannot_be_asked_declines(client, world):
    """Otherwise: an older client's call hangs on a question that it never sees."""
    await sync_to_async(world.allow)()
    async with talking(client, world, "legacy", elicitation_callback=answering) as connected:
        result = await connected.call_tool("tests__booking", {"day": "Monday"})
    assert result.content[0].text == "decline, decline, for Monday"
    assert len(await runs()) == 1


async def call(client, world, capabilities=ABLE, **more):
    params = {**DAY, **more}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call"}
    headers["mcp-name"] = params["name"]
    params["_meta"] = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": capabilities}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    lines = {"accept": "application/json", **world.bearer, **headers}
    return (await client.post(world.mcp, json=body, headers=lines)).json()


async def test_an_answer_is_good_for_its_own_question_alone(client, world):
    """Otherwise: what a person agreed to is used for something else."""
    await sync_to_async(world.allow)()
    asked = (await call(client, world))["result"]
    assert asked["resultType"] == "input_required"
    state, answers = asked["requestState"], {k: {"action": "decline"} for k in ("who", "pay")}
    wrong = [
        {"requestState": f"{state}x"},
        {"requestState": "for Monday"},
        {"requestState": state, "arguments": {"day": "Friday"}},
    ]
    for more in wrong:
        refused = await call(client, world, inputResponses=answers, **more)
        assert refused["error"]["code"] == -32602
        assert refused["error"]["data"]["code"] == "request_state_refused"
    for odd in ([1], {"who": 1}):
        unread = await call(client, world, inputResponses=odd)
        assert unread["error"]["code"] == -32602
    mute = await call(client, world, {}, inputResponses=answers)
    assert mute["error"]["data"]["code"] == "request_state_refused"
    fresh = await call(client, world, inputResponses=answers)
    assert fresh["result"]["content"][0]["text"] == "decline, decline, None"
    other = await sync_to_async(world.company.agent)("Other")
    world.token, mine = await sync_to_async(world.company.token)(other), world.token
    stolen = await call(client, world, inputResponses=answers, requestState=state)
    assert stolen["error"]["data"]["code"] == "request_state_refused"
    world.token = mine
    fine = await call(client, world, inputResponses=answers, requestState=state)
    assert fine["result"]["content"][0]["text"] == "decline, decline, for Monday"
    await sync_to_async(world.rule)("deny", "tool:tests/booking")
    late = await call(client, world, inputResponses=answers, requestState=state)
    assert "error" in late
