"""A call through the REST door, from the caller's request to the record of it."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.agents.models import IssuedToken
from agentxsuite.control.agents.services import revoke_token
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep
from tests.servers import mcp_http

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}


@sync_to_async
def the_run():
    return Run.objects.get()


@sync_to_async
def events():
    return list(AuditEvent.objects.exclude(run_id=None).order_by("id"))


@sync_to_async
def run_count():
    return Run.objects.count()


async def execute(client, world, body=None, **headers):
    return await client.post(
        world.execute, json=ECHO if body is None else body, headers=world.bearer | headers
    )


async def test_an_allowed_call_runs_and_is_on_record(client, world):
    """The main job: nobody could call a tool, or prove it afterwards."""
    await sync_to_async(world.allow)()
    answer = await execute(client, world)
    assert answer.status_code == 201, answer.text
    report = answer.json()
    assert report["status"] == "succeeded"
    assert report["result"]["content"][0]["text"] == "hello"
    assert report["result"]["isError"] is False
    assert report["agent"]["id"] == str(world.agent.id)
    assert report["tool"]["name"] == "tests/echo"

    run = await the_run()
    assert str(run.id) == report["run_id"]
    assert (run.status, run.outcome_code) == ("succeeded", None)
    assert run.input_json == {"text": "hello"}
    assert run.output_json["content"][0]["text"] == "hello"
    steps = await sync_to_async(
        lambda: list(RunStep.objects.order_by("id").values_list("step_type", flat=True))
    )()
    assert steps == ["decision", "limit", "validation", "upstream"]
    started, finished = await events()
    assert (started.event_type, finished.event_type) == ("run_started", "run_finished")
    for event in (started, finished):
        assert event.subject == f"agent:{world.agent.id}"
        assert event.action == "tool.invoke"
        assert event.target == "tool:tests/echo"
        assert event.decision == "allow"
        assert event.rule_id is not None
        assert event.organization_id == world.company.organization.id


async def test_a_denied_call_never_reaches_the_upstream(client, world):
    """Policy would be advice."""
    await sync_to_async(world.rule)("deny", "tool:tests/echo", message="Not today.")
    before = len(await mcp_http.told(world.upstream, "/log"))
    answer = await execute(client, world)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["detail"]) == ("explicit_deny", "Not today.")
    assert len(await mcp_http.told(world.upstream, "/log")) == before
    run = await the_run()
    assert (run.status, run.outcome_code, run.started_at) == ("failed", "denied", None)
    assert str(run.id) == problem["run_id"]
    (event,) = await events()
    assert (event.event_type, event.decision) == ("run_denied", "deny")
    assert str(event.decision_id) == problem["decision_id"]


async def test_bad_arguments_are_told_where_they_are_bad(client, world):
    """A developer would guess, and the upstream would be bothered with nonsense."""
    await sync_to_async(world.allow)()
    body = {"tool": "tests/add", "input": {"a": "one"}}
    answer = await execute(client, world, body)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "invalid_arguments"
    assert {error["path"] for error in problem["errors"]} >= {"/a"}
    assert (await the_run()).outcome_code == "invalid"


async def test_the_rate_of_the_policy_is_kept(client, world):
    """One agent could use up a tool that all share."""
    await sync_to_async(world.allow)(terms={"rate": {"per_minute": 1, "burst": 1}})
    assert (await execute(client, world)).status_code == 201
    refused = await execute(client, world)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["code"] == "rate_limited"
    again = await execute(client, world)
    assert again.status_code == 429
    assert "run_id" not in again.json()  # within the minute it is only counted
    assert await run_count() == 2


async def test_a_slow_tool_is_cancelled_at_the_timeout(client, world):
    """Callers would wait for ever, and upstreams work for nobody."""
    await sync_to_async(world.allow)()
    body = {"tool": "tests/slow", "input": {"seconds": 4}, "timeout_seconds": 1}
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = await execute(client, world, body)
    assert loop.time() - begun < 1.5
    assert answer.status_code == 504
    assert answer.json()["code"] == "upstream_timeout"
    await mcp_http.told(world.upstream, "/cancelled")
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "timeout")
    assert str(run.id) == answer.json()["run_id"]


async def test_a_revoked_token_is_refused_on_the_next_call(client, world):
    """A stolen token would live on in caches."""
    await sync_to_async(world.allow)()
    assert (await execute(client, world)).status_code == 201

    @sync_to_async
    def revoke():
        revoke_token(world.company.actor, IssuedToken.objects.get(agent=world.agent))

    await revoke()
    answer = await execute(client, world)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_revoked"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_person_runs_as_an_agent_and_both_are_named(client, world):
    """An operator could not try a tool, or would do so without a name."""
    await sync_to_async(world.allow)()
    login = await sync_to_async(login_of)(world.company.people["bob"])
    body = ECHO | {"agent": world.agent.slug}
    answer = await execute(client, world, body, authorization=f"Bearer {login}")
    assert answer.status_code == 201, answer.text
    run = await the_run()
    bob = world.company.people["bob"]
    assert run.subject == f"user:{bob.id}"
    assert run.run_as_user_id == bob.id
    assert run.agent_id == world.agent.id


@pytest.mark.parametrize(
    ("who", "change", "told"),
    [
        ("vera", {}, (403, "role_too_low")),
        ("charlie", {}, (404, "agent_unknown")),
        ("bob", {"agent": "nobody"}, (404, "agent_unknown")),
        ("bob", {"agent": None}, (400, "invalid_request")),
        ("bob", {"environment": "dev"}, (404, "agent_unknown")),
        ("bob", {"environment": "nowhere"}, (404, "agent_unknown")),
    ],
)
async def test_people_run_only_what_is_theirs(client, world, rival, who, change, told):
    """A viewer, or a stranger, could act in an organization."""
    await sync_to_async(world.allow)()
    person = {**world.company.people, **rival.people}[who]
    login = await sync_to_async(login_of)(person)
    body = ECHO | {"agent": world.agent.slug} | change
    answer = await execute(client, world, body, authorization=f"Bearer {login}")
    assert (answer.status_code, answer.json()["code"]) == told


async def test_a_person_names_the_agent_to_run_as(client, world):
    """A call would run as whatever agent comes first."""
    login = await sync_to_async(login_of)(world.company.people["bob"])
    answer = await execute(client, world, ECHO, authorization=f"Bearer {login}")
    assert (answer.status_code, answer.json()["code"]) == (400, "agent_missing")


async def test_a_slug_in_two_environments_needs_the_environment(client, world, rival):
    """A call meant for dev would run in prod, or a stranger would learn what agents there are."""
    await sync_to_async(world.allow)()
    await sync_to_async(world.company.agent)("Clerk", world.company.dev)
    login = await sync_to_async(login_of)(world.company.people["bob"])
    body = ECHO | {"agent": "clerk"}
    answer = await execute(client, world, body, authorization=f"Bearer {login}")
    assert (answer.status_code, answer.json()["code"]) == (400, "environment_missing")
    stranger = await sync_to_async(login_of)(rival.owner)
    answer = await execute(client, world, body, authorization=f"Bearer {stranger}")
    assert (answer.status_code, answer.json()["code"]) == (404, "agent_unknown")
    body |= {"environment": "prod"}
    answer = await execute(client, world, body, authorization=f"Bearer {login}")
    assert answer.status_code == 201, answer.text


def login_of(person):
    return AuthToken.objects.create(person)[1]


@sync_to_async
def named_like_an_environment(world):
    world.allow()
    world.company.agent("prod", world.company.dev)
    return login_of(world.company.owner)


async def test_an_environment_is_named_apart_from_agents(client, world):
    """Otherwise: an agent that is called like an environment makes the other's name mean two."""
    login = await named_like_an_environment(world)
    asked = {**ECHO, "agent": world.agent.slug, "environment": "prod"}
    answer = await execute(client, world, asked, authorization=f"Bearer {login}")
    assert answer.status_code == 201, answer.text


async def test_an_agent_runs_as_itself_only(client, world):
    """One agent could use the rights of another."""
    await sync_to_async(world.allow)()
    answer = await execute(client, world, ECHO | {"agent": str(world.agent.id)})
    assert answer.status_code == 201
    answer = await execute(client, world, ECHO | {"agent": "other"})
    assert (answer.status_code, answer.json()["code"]) == (403, "agent_mismatch")


async def test_what_policy_saw_is_what_is_sent(client, world):
    """An amount could change between the decision and the upstream."""
    await sync_to_async(world.allow)()
    number = 123456789012345678901234567890
    body = b'{"tool":"tests/add","input":{"a":%d,"a":%d,"b":0}}' % (1, number)
    answer = await client.post(world.execute, content=body, headers=world.bearer)
    assert answer.status_code == 201, answer.text
    assert str(number) in answer.text
    assert (await the_run()).input_json == {"a": number, "b": 0}


async def test_a_tool_that_fails_by_itself_is_a_run_that_failed(client, world):
    """The tool's own answer would be lost, or look like the gateway's."""
    await sync_to_async(world.allow)()
    answer = await execute(client, world, {"tool": "tests/fail", "input": {}})
    assert answer.status_code == 201
    assert answer.json()["status"] == "failed"
    assert answer.json()["result"]["isError"] is True
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "tool_error")


async def test_an_unknown_tool_leaves_an_event_and_no_run(client, world):
    """Probing for tools would leave no trace."""
    answer = await execute(client, world, {"tool": "tests/nothing", "input": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "tool_unknown")
    assert await run_count() == 0
    event = await sync_to_async(AuditEvent.objects.get)(event_type="call_unknown_tool")
    assert event.subject == f"agent:{world.agent.id}"
    assert event.target == "tool:tests/nothing"
