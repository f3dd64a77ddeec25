"""Calls that end otherwise: each told, each on record, none forgotten."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.db import connection as database
from django.utils import timezone

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import AuthMethod, Connection, Tool
from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.runs.models import Run
from agentxsuite.control.secretstore import services as secrets
from agentxsuite.control.secretstore.models import SecretVersion
from agentxsuite.control.storage.roles import as_owner
from agentxsuite.engines.upstream import Upstreams
from agentxsuite.gateway.asgi import Gateway, open_gate
from agentxsuite.gateway.call import Call
from agentxsuite.gateway.gate import now
from agentxsuite.gateway.hosts import Hosts
from agentxsuite.gateway.pipeline import call_tool
from agentxsuite.gateway.record import write_counts
from agentxsuite.gateway.refusal_meter import WRITTEN, RefusalMeter
from agentxsuite.gateway.refusals import Unavailable
from agentxsuite.gateway.worker.rounds import keep
from tests.servers.mcp_http import told
from tests.servers.mcp_raw import DISCOVERY, RawServer
from tests.story.conftest import serving

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}


async def execute(client, world, body=None):
    return await client.post(world.execute, json=body or ECHO, headers=world.bearer)


@sync_to_async
def the_run():
    return Run.objects.get()


@sync_to_async
def change(rows, **facts):
    rows.update(**facts)


@asynccontextmanager
async def failing(table, verb):
    """The database refuses one kind of write to one table."""
    if database.vendor == "sqlite":
        body = "BEGIN SELECT RAISE(ABORT, 'full'); END"
        make = [f"CREATE TRIGGER broken BEFORE {verb} ON {table} {body}"]
        unmake = ["DROP TRIGGER broken"]
    else:
        body = "LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'"
        when = f"BEFORE {verb} ON {table} FOR EACH ROW"
        make = [
            f"CREATE FUNCTION broken() RETURNS trigger {body}",
            f"CREATE TRIGGER broken {when} EXECUTE FUNCTION broken()",
        ]
        unmake = [f"DROP TRIGGER broken ON {table}", "DROP FUNCTION broken()"]

    @sync_to_async
    def run(statements):
        with as_owner(), database.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    await run(make)
    yield
    await run(unmake)


async def test_an_upstream_that_is_gone_is_a_502_on_record(client, world):
    """Callers would see a crash, and nobody that the server is down."""
    await sync_to_async(world.allow)()
    await change(Connection.objects.all(), endpoint="http://127.0.0.1:1/mcp")
    answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_unavailable")
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "upstream_error")
    assert str(run.id) == answer.json()["run_id"]
    assert "127.0.0.1" not in answer.text


async def test_an_upstreams_own_refusal_is_passed_on(client, world):
    """A developer would not learn what the server did not like."""
    await sync_to_async(world.allow)()

    def script(asked):
        if asked.message.get("method") == "server/discover":
            asked.result(DISCOVERY)
        else:
            asked.error(-32050, "not on Sundays")

    async with RawServer(script) as server:
        await change(Connection.objects.all(), endpoint=server.url)
        answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_rpc")
    assert answer.json()["detail"] == "The upstream refused the call: not on Sundays"


async def test_an_address_that_is_not_open_is_never_reached(world, settings):
    """A connection could point into the private network."""
    await sync_to_async(world.allow)()
    settings.EGRESS_ALLOW = []
    before = len(await told(world.upstream, "/log"))
    async with serving() as client:
        answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (502, "egress_denied")
    assert len(await told(world.upstream, "/log")) == before


async def test_a_credential_that_cannot_be_read_stops_the_call(client, world):
    """A call would go out without the credential, or crash."""
    await sync_to_async(world.allow)()
    company = world.company

    @sync_to_async
    def break_secret():
        secret = secrets.store(company.actor, company.organization, company.prod, "key")
        Connection.objects.update(auth_method=AuthMethod.BEARER, secret_ref=secret.ref)
        SecretVersion.objects.all().delete()

    await break_secret()
    answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (503, "secret_unavailable")
    assert (await the_run()).outcome_code == "denied"


async def test_nothing_runs_that_cannot_be_recorded(client, world):
    """A full disk would make every call invisible."""
    await sync_to_async(world.allow)()
    before = len(await told(world.upstream, "/log"))
    async with failing("runs_run", "INSERT"):
        answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert len(await told(world.upstream, "/log")) == before
    assert (await execute(client, world)).status_code == 201


async def test_nobody_is_answered_before_the_end_is_recorded(client, world):
    """A caller would hold an answer that the record does not know."""
    await sync_to_async(world.allow)()
    async with failing("runs_run", "UPDATE"):
        answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger_unavailable")
    run = await the_run()
    assert run.status == "running"
    assert str(run.id) == answer.json()["run_id"]


async def test_a_caller_that_hangs_up_cancels_the_upstream(world):
    """Upstreams would work for nobody, and the run would stay open."""
    await sync_to_async(world.allow)()
    body = {"tool": "tests/slow", "input": {"seconds": 20}}
    async with serving() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(world.execute, json=body, headers=world.bearer, timeout=0.5)
        await told(world.upstream, "/cancelled")
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "cancelled")


async def test_a_flood_of_refusals_is_counted_and_stopped(world):
    """One agent in a loop could fill the disk."""
    answers = []
    async with serving() as client:
        while len(answers) < 5 * WRITTEN.burst:  # the bucket refills meanwhile, but slowly
            answers.append(await execute(client, world))
            if answers[-1].status_code == 429:
                break
    assert answers[-1].json()["code"] == "too_many_refusals"
    assert {answer.json()["code"] for answer in answers[:-1]} == {"default_deny"}
    assert len(answers) > WRITTEN.burst
    assert await sync_to_async(Run.objects.count)() < len(answers)
    counted = await sync_to_async(list)(AuditEvent.objects.filter(event_type="refusals_counted"))
    written = await sync_to_async(Run.objects.count)()
    assert sum(event.event_data["count"] for event in counted) == len(answers) - written


async def test_the_use_of_a_revoked_token_is_told_to_its_organization(client, world):
    """A security team could not see that a stolen token is being tried."""
    await sync_to_async(world.agent.tokens.update)(revoked_at=timezone.now())
    answer = await execute(client, world)
    assert answer.json()["code"] == "token_revoked"
    event = await sync_to_async(AuditEvent.objects.get)(event_type="call_unauthenticated")
    assert event.organization_id == world.company.organization.id
    assert event.subject == f"agent:{world.agent.id}"
    token = await sync_to_async(world.agent.tokens.get)()
    assert event.event_data["token_id"] == token.jti


async def test_the_token_of_a_deleted_agent_is_refused(client, world):
    """A deleted agent would keep calling until its token expires."""
    await change(Agent.objects.all(), deleted_at=timezone.now())
    answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (401, "agent_unknown")


async def test_a_quarantined_tool_says_so_and_blames_no_rule(client, world):
    """An auditor would read that the rule which allows the tool denied it."""
    await sync_to_async(world.allow)()
    await change(Tool.objects.filter(name="tests/echo"), sync_status="pending_review")
    answer = await execute(client, world)
    assert (answer.status_code, answer.json()["code"]) == (403, "tool_quarantined")
    event = await sync_to_async(AuditEvent.objects.get)(event_type="run_denied")
    assert (event.decision, event.rule_id, event.rule_name) == ("deny", None, "")


async def test_a_list_that_cannot_be_decided_is_an_error_that_says_when(client, world):
    """Clients would take a failure for an empty list."""
    await sync_to_async(world.allow)()
    await change(PolicyRule.objects.all(), action="tool invoke")
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = await client.post(world.mcp, json=body, headers=world.bearer)
    assert answer.json()["error"]["data"]["code"] == "pdp_error"
    assert answer.json()["error"]["code"] == -32603
    assert int(answer.headers["retry-after"]) >= 1


async def test_the_server_tells_how_it_is(client, world):
    """Operators could not tell a dead process from a dead database."""
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ok"}
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kty"] for key in keys} == {"OKP"}
    assert all("d" not in key for key in keys)
    wrong = await client.post("/healthz")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


async def test_each_plane_answers_its_own(world):
    """A data plane would expose the management, or the other way round."""
    async with serving("data") as client:
        assert (await client.get("/api/v1/orgs/")).json()["code"] == "not_found"
        assert (await client.get("/healthz")).status_code == 200
    async with serving("control") as client:
        assert (await client.get("/api/v1/orgs/")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.post(world.mcp, json={}, headers=world.bearer)).status_code == 404


async def test_a_server_that_is_starting_says_so():
    """Callers would see a crash while the server starts or stops."""
    transport = httpx2.ASGITransport(Gateway(Hosts(("*",))))
    async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "starting")


class Defective(Upstreams):
    """An upstream engine with a defect."""

    def __init__(self):
        pass

    async def request(self, *_, **__):
        raise RuntimeError("a defect")


async def test_a_defect_of_ours_closes_the_run(world):
    """A run would stay open for ever, and the defect unseen."""
    await sync_to_async(world.allow)()
    call = Call(
        door="rest",
        organization=str(world.company.organization.id),
        environment=None,
        credential=f"Bearer {world.token}",
        address="127.0.0.1",
        client="",
        received=now(),
        tool="tests/echo",
        arguments={"text": "x"},
    )
    assert world.token not in repr(call)
    async with open_gate(Defective()) as gate:
        with pytest.raises(RuntimeError):
            await call_tool(call, gate)
    run = await the_run()
    assert (run.status, run.outcome_code) == ("failed", "upstream_error")


class Reluctant:
    """A ledger that takes nothing the first time."""

    def __init__(self):
        self.written = asyncio.Event()
        self.tries = 0

    def commit(self, change):
        self.tries += 1
        done = asyncio.get_running_loop().create_future()
        if self.tries == 1:
            done.set_exception(Unavailable("ledger_unavailable", "Later."))
        else:
            done.set_result(None)
            self.written.set()
        return done


async def test_counts_survive_a_database_that_is_away(world):
    """A flood during an outage would never be on record."""
    ledger = Reluctant()
    async with open_gate(Defective()) as gate:
        patient = replace(gate, ledger=ledger, refusals=RefusalMeter())
        key = ("org", "env", "agent:1", "tool:a/b", "denied")
        for _ in range(WRITTEN.burst + 1):
            await patient.refusals.admit(key, throttle=False)
        counting = asyncio.create_task(keep("counting", partial(write_counts, patient), 0))
        await ledger.written.wait()
        counting.cancel()
    assert ledger.tries == 2
    assert list(patient.refusals.drain()) == []
