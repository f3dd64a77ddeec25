"""Resources and prompts ask back too: every round is decided and on record."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.audit.models import AuditEvent
from tests.story.offering import offering, permit, rpc

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
FORM = {"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": {}}}
SAMPLING = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 9}}
ROOTS = {"method": "roots/list", "params": {}}
ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}
ASKED = {"resultType": "input_required", "inputRequests": {"who": FORM, "m": SAMPLING, "r": ROOTS}}
ANSWERS = {"who": {"action": "accept"}, "m": {"content": {}}, "r": {"roots": []}}
GREET = ("prompts/get", {"name": "shop__greet", "arguments": {"who": "Ann"}})
PLAN = ("resources/read", {"uri": "shop+file:///pub/plan.md"})


@pytest.fixture
async def shop(world):
    async with offering(world) as shop:
        await permit(world, "resource.read", "resource:shop/**")
        await permit(world, "prompt.get", "prompt:shop/*")
        yield shop


@sync_to_async
def events():
    rows = AuditEvent.objects.filter(event_type__startswith="use_").order_by("id")
    return [(row.event_type, row.event_data.get("code")) for row in rows]


@pytest.mark.parametrize(("method", "params"), [GREET, PLAN])
async def test_every_round_is_a_use_of_its_own(client, world, shop, method, params):
    """Otherwise: what needs a word from the client cannot be read, or is read unseen."""
    done = shop.answers[method]
    shop.answers[method] = {**ASKED, "requestState": "theirs"}

    async def ask(**more):
        answer = await rpc(client, world, method, {**params, **more}, able=ABLE)
        return answer.json()

    asked = (await ask())["result"]
    assert asked["inputRequests"] == ASKED["inputRequests"]
    assert "ttlMs" not in asked
    back = {"inputResponses": ANSWERS, "requestState": asked["requestState"]}
    forged = (await ask(requestState="theirs"))["error"]
    assert (forged["code"], forged["data"]["code"]) == (-32602, "request_state_refused")
    shop.answers[method] = done
    assert (await ask(**back))["result"]["resultType"] == "complete"
    heard = shop.methods(method)
    assert [each.get("requestState") for each in heard] == [None, "theirs"]
    assert heard[1]["inputResponses"] == ANSWERS
    allowed = [("use_started", None), ("use_finished", None)]
    refused = ("use_refused", "request_state_refused")
    assert await events() == [*allowed, refused, *allowed]
    await permit(world, "*", "*", "deny")
    assert "error" in await ask(**back)
    assert len(shop.methods(method)) == 2


async def test_who_cannot_be_asked_is_not(client, world, shop):
    """Otherwise: a client gets a question that it never said it can answer."""
    shop.answers["prompts/get"] = ASKED
    for how in ({"able": {"sampling": {}}}, {}, {"modern": False}):
        refused = (await rpc(client, world, *GREET, **how)).json()["error"]
        assert refused["data"]["code"] == "upstream_protocol"
    shop.answers["prompts/get"] = {**ASKED, "inputRequests": {"who": FORM}}
    await rpc(client, world, *GREET, modern=False)
    assert shop.methods("prompts/get")[-1]["inputResponses"] == {"who": {"action": "decline"}}


async def test_a_client_hears_what_it_has_to_declare(client, world, shop):
    """Otherwise: a server that needs a client's model is refused to clients that have one."""
    data = {"requiredCapabilities": {"sampling": {}}}
    shop.errors["prompts/get"] = (-32021, "This needs sampling.", data)
    answer = await rpc(client, world, *GREET)
    told = {"code": -32021, "message": "This needs sampling.", "data": data}
    assert (answer.status_code, answer.json()["error"]) == (400, told)
    for how in ({"able": {"sampling": {}}}, {"modern": False}):
        answer = await rpc(client, world, *GREET, **how)
        assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32603)
