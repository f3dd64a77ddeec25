"""The REST view of resources and prompts, for agents and for persons who run as one."""

import json
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from tests.story.offering import offering, permit

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
README = quote("shop+file:///pub/readme.md", safe="")


@pytest.fixture
async def shop(world):
    async with offering(world) as shop:
        await permit(world, "resource.read", "resource:shop/file/_/pub/**")
        await permit(world, "prompt.get", "prompt:shop/*")
        yield shop


def at(world, tail):
    company = world.company
    return f"/api/v1/orgs/{company.organization.id}/mcp/{company.prod.id}/{tail}"


async def get(client, world, tail, **headers):
    return await client.get(at(world, tail), headers=headers or world.bearer)


@sync_to_async
def login(user):
    return {"authorization": f"Bearer {AuthToken.objects.create(user)[1]}"}


@sync_to_async
def uses():
    rows = AuditEvent.objects.filter(event_type__startswith="use_").order_by("id")
    return [(row.event_type, row.action, row.target, row.decision, row.subject) for row in rows]


async def test_what_servers_offer_is_listed_in_pages(client, world, shop):
    """Otherwise: nobody could see over REST what an agent may read or get."""
    first = (await get(client, world, "resources/?page_size=1")).json()
    assert (first["count"], first["previous"]) == (2, None)
    assert first["results"][0]["uri"] == "shop+file:///pub/plan.md"
    assert first["results"][0]["target"] == "resource:shop/file/_/pub/plan.md"
    path = first["next"].partition("/api/")[2]
    second = (await client.get(f"/api/{path}", headers=world.bearer)).json()
    assert second["results"][0]["definition"]["x-shelf"] == {"n": 1}
    assert second["next"] is None
    assert "page=1" in second["previous"]
    prompts = (await get(client, world, "prompts/")).json()
    assert [each["name"] for each in prompts["results"]] == ["shop/a%2F%C3%BC", "shop/greet"]
    assert await uses() == []


async def test_a_resource_is_read_and_on_record(client, world, shop):
    """Otherwise: what was read, by whom and by which rule, could not be told."""
    read = await get(client, world, f"resources/{README}/")
    assert read.status_code == 200
    told = read.json()
    contents = [{"uri": "shop+file:///pub/readme.md", "text": "hello"}]
    assert told["result"]["contents"] == contents
    target, who = "resource:shop/file/_/pub/readme.md", f"agent:{world.agent.id}"
    assert told["target"] == target
    assert await uses() == [
        ("use_started", "resource.read", target, "allow", who),
        ("use_finished", "resource.read", target, "allow", who),
    ]
    assert await sync_to_async(Run.objects.count)() == 0
    first = await sync_to_async(AuditEvent.objects.filter(event_type="use_started").get)()
    assert (str(first.decision_id), first.run_id) == (told["decision_id"], None)
    assert first.rule_id is not None
    assert shop.methods("resources/read")[0]["uri"] == "file:///pub/readme.md"


async def test_a_denied_reading_is_a_problem_and_on_record(client, world, shop):
    """Otherwise: a denial would leave no trace, or no reason."""
    uri = quote("shop+file:///secret/key", safe="")
    denied = await get(client, world, f"resources/{uri}/")
    assert (denied.status_code, denied.json()["code"]) == (403, "default_deny")
    assert [event[:4] for event in await uses()] == [
        ("use_refused", "resource.read", "resource:shop/file/_/secret/key", "deny")
    ]
    assert shop.methods("resources/read") == []


async def test_a_prompt_is_got_with_arguments(client, world, shop):
    """Otherwise: prompts could not be used, or not with what they need."""
    arguments = quote(json.dumps({"who": "Ann"}))
    got = await get(client, world, f"prompts/shop%2Fgreet/?arguments={arguments}")
    link = got.json()["result"]["messages"][0]["content"]
    assert link["uri"] == "shop+file:///pub/plan.md"
    assert shop.methods("prompts/get")[0]["arguments"] == {"who": "Ann"}
    by_model_name = await get(client, world, f"prompts/shop__greet/?arguments={arguments}")
    assert by_model_name.json()["name"] == "shop/greet"
    for odd in ("shop/a%2F%C3%BC", "shop/a/ü"):
        got = await get(client, world, f"prompts/{quote(odd, safe='')}/")
        assert got.json()["target"] == "prompt:shop/a%2F%C3%BC"
    lacking = await get(client, world, "prompts/shop%2Fgreet/")
    assert (lacking.status_code, lacking.json()["code"]) == (400, "invalid_arguments")
    assert lacking.json()["errors"][0]["path"] == "/who"
    assert (await uses())[-1][0] == "use_refused"


async def test_a_person_runs_as_an_agent(client, world, shop):
    """Otherwise: people could not see what their agents see, or anybody could."""
    people, agent = world.company.people, f"agent={world.agent.slug}"
    bob, vera = await login(people["bob"]), await login(people["vera"])
    listed = await get(client, world, f"resources/?{agent}", **bob)
    assert listed.json()["count"] == 2
    read = await get(client, world, f"resources/{README}/?{agent}", **bob)
    assert read.status_code == 200
    assert (await uses())[-1][4] == f"user:{people['bob'].id}"
    nobody = await get(client, world, "resources/", **bob)
    assert (nobody.status_code, nobody.json()["code"]) == (400, "agent_missing")
    low = await get(client, world, f"resources/?{agent}", **vera)
    assert (low.status_code, low.json()["code"]) == (403, "role_too_low")


@pytest.mark.parametrize(
    ("tail", "status", "code"),
    [
        ("resources/?page=0", 400, "invalid_request"),
        ("resources/?page=2", 404, "not_found"),
        ("resources/?page_size=x", 400, "invalid_request"),
        ("resources/?tool=x", 400, "invalid_request"),
        ("prompts/shop%2Fgreet/?arguments=7", 400, "invalid_request"),
        ("prompts/shop%2Fgreet/?arguments={", 400, "invalid_request"),
        ("prompts/shop%2Fnothing/", 404, "prompt_unknown"),
        ("resources/nowhere+file:///x/", 404, "resource_unknown"),
        ("resources/shop+nothing/", 404, "resource_unknown"),
        ("resources/?agent=other", 403, "agent_mismatch"),
    ],
)
async def test_what_cannot_be_answered_says_why(client, world, shop, tail, status, code):
    """Otherwise: a mistake would look like an empty list or a crash."""
    answer = await get(client, world, tail)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_stranger_learns_nothing(client, world, shop):
    """Otherwise: other companies' servers could be looked through."""
    answer = await get(client, world, "resources/", authorization="")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    garbage = await client.get("/api/v1/orgs/x/mcp/y/resources/", headers=world.bearer)
    assert garbage.status_code == 404


async def test_what_the_server_does_not_have_is_missing(client, world, shop):
    """Otherwise: a wrong name would look like a broken server."""
    shop.errors["resources/read"] = (-32002, "Resource not found", None)
    gone = await get(client, world, f"resources/{README}/")
    assert (gone.status_code, gone.json()["code"]) == (404, "resource_unknown")
    shop.errors["resources/read"] = (-32603, "broken", None)
    broken = await get(client, world, f"resources/{README}/")
    assert (broken.status_code, broken.json()["code"]) == (502, "upstream_rpc")
    assert [event[0] for event in await uses()] == ["use_started", "use_finished"] * 2
