"""Requests with one key at one moment: one is done, the others are told so."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from knox.models import AuthToken

from agentxsuite.control.agents.api import Agents
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.models import Policy, PolicyRule
from agentxsuite.control.tenancy.models import Environment, KeptAnswer
from tests import cast
from tests.cast import client
from tests.story.held import holding

company, master_keys = cast.company, cast.master_keys  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
MANY = 6
RULE = {"action": "tool.invoke", "target": "tool:crm/*", "effect": "deny"}
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def send(browser, path, body=None, key="k-1"):
    try:
        return browser.post(path, body, format="json", headers={"idempotency-key": key})
    finally:
        connections.close_all()


def test_of_many_equal_requests_one_is_done(company):
    """Otherwise: an impatient client has everything as often as it has pressed the button."""
    home = f"/api/v1/orgs/{company.organization.id}/environments/"
    browsers = [client(company.owner) for _ in range(MANY)]
    start = Barrier(MANY)

    def press(browser):
        start.wait(10)
        return send(browser, home, {"name": "stage"})

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(press, browsers))
    made = Environment.objects.get(name="stage")
    for answer in answers:
        assert answer.status_code in {201, 409}, answer.content
        if answer.status_code == 201:
            assert answer.json()["id"] == str(made.id)
        else:
            assert answer.json()["code"] == "idempotency_in_flight"
    new = [a for a in answers if a.status_code == 201 and "Idempotency-Replayed" not in a.headers]
    assert len(new) == 1
    assert AuditEvent.objects.filter(target=f"environment:{made.id}").count() == 1


@pytest.mark.database(only="postgres")
def test_who_asks_meanwhile_does_not_wait(company):
    """Otherwise: an impatient client takes every place of the management plane."""
    policy = company.allow()
    path = f"/api/v1/orgs/{company.organization.id}/policies/{policy.id}/rules/"
    first, second = client(company.owner), client(company.owner)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Policy.objects.select_for_update().get(id=policy.id)
            working = pool.submit(send, first, path, RULE)
            until = monotonic() + 10
            while not waits():
                assert not working.done()
                assert monotonic() < until
            told = second.post(path, RULE, format="json", headers={"idempotency-key": "k-1"})
            assert (told.status_code, told.json()["code"]) == (409, "idempotency_in_flight")
        assert working.result(10).status_code == 201
    again = second.post(path, RULE, format="json", headers={"idempotency-key": "k-1"})
    assert again.json() == working.result().json()
    assert PolicyRule.objects.filter(policy=policy).count() == 2


def waits():
    """Whether somebody waits for a row that is held here."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0] > 0


@sync_to_async
def login(world):
    return {
        "authorization": f"Bearer {AuthToken.objects.create(world.company.owner)[1]}",
        "idempotency-key": "k-1",
    }


async def test_what_waits_for_a_server_is_asked_of_it_once(world, client):
    """Otherwise: a slow server is asked again by everybody who is tired of waiting for it."""
    lines = await login(world)
    path = f"/api/v1/connections/{world.connection.id}/sync/"
    async with holding() as held:
        held.result = {"tools": []}
        held.free.clear()
        working = asyncio.create_task(client.post(path, headers=lines))
        await held.arrived()
        row = await sync_to_async(KeptAnswer.objects.get)()
        told = await client.post(path, headers=lines)
        assert (told.status_code, told.json()["code"]) == (409, "idempotency_in_flight")
        assert row.status is None
        held.free.set()
        first = await working
    assert first.status_code == 200, first.text
    again = await client.post(path, headers=lines)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert len(held.calls) == 1


async def test_a_sync_that_failed_can_be_tried_again(world, client):
    """Otherwise: a server that was down for a moment cannot be synced under this key for a day."""
    lines = await login(world)
    path = f"/api/v1/connections/{world.connection.id}/sync/"
    await sync_to_async(type(world.connection).objects.update)(endpoint="http://127.0.0.1:9/mcp")
    down = await client.post(path, headers=lines)
    assert down.status_code == 502, down.text
    assert await sync_to_async(KeptAnswer.objects.count)() == 0
    await sync_to_async(type(world.connection).objects.update)(endpoint=world.upstream)
    done = await client.post(path, headers=lines)
    assert done.status_code == 200, done.text
    again = await client.post(path, headers=lines)
    assert again.json() == done.json()


def test_a_defect_leaves_the_key_free(company, monkeypatch):
    """Otherwise: what broke in the middle cannot be tried again for a quarter of an hour."""
    agent = company.agent()
    path = f"/api/v1/orgs/{company.organization.id}/agents/{agent.id}/ping/"
    browser = client(company.owner)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Agents, "get_queryset", broken)
    with pytest.raises(ZeroDivisionError):
        send(browser, path)
    assert KeptAnswer.objects.count() == 0
