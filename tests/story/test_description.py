"""What the whole server answers on a real socket is what its description says."""

import re

import pytest
from django.db import OperationalError

from agentxsuite.project import readiness
from tests.openapi.checked import answer_of, checked
from tests.openapi.contract import contract
from tests.story.conftest import serving

pytestmark = [pytest.mark.database]


@pytest.fixture
def allowed(world):
    world.allow()


@pytest.fixture
def seldom(world):
    world.allow("tool:tests/echo", terms={"rate": {"per_minute": 1, "burst": 1}})


@pytest.fixture
def client(client):
    """A client that takes no answer which is not described."""
    client.event_hooks = {"response": [checked]}
    return client


async def test_a_call_is_answered_as_described(client, world, allowed):
    """Otherwise: a generated client breaks at the one operation that matters most."""
    asked = {"tool": "tests/add", "input": {"a": 1, "b": 2}}

    async def run(body, **headers):
        bearer = world.bearer | headers
        return (await client.post(world.execute, json=body, headers=bearer)).status_code

    assert await run(asked) == 201
    keyed = {"idempotency-key": "once"}
    assert [await run(asked, **keyed), await run(asked, **keyed)] == [201, 201]
    assert await run(asked | {"input": {"a": 2, "b": 2}}, **keyed) == 422
    assert await run({"tool": "tests/fail", "input": {}}) == 201
    assert await run(asked | {"input": {"a": "one"}}) == 400
    assert await run(asked | {"inptu": {}}) == 400
    assert await run(asked | {"tool": "tests/nothing"}) == 404
    assert await run(asked, authorization="Bearer no") == 401


async def test_refusals_of_a_call_are_answered_as_described(client, world, seldom):
    """Otherwise: a program cannot tell why a call was refused."""
    asked = {"tool": "tests/add", "input": {"a": 1, "b": 2}}
    denied = await client.post(world.execute, json=asked, headers=world.bearer)
    assert denied.status_code == 403
    large = await client.post(world.execute, content=b" " * (2**20 + 1), headers=world.bearer)
    assert large.status_code == 413
    assert (await client.get(world.execute)).status_code == 405
    often = {"tool": "tests/echo", "input": {"text": "Hello?"}}
    calls = [await client.post(world.execute, json=often, headers=world.bearer) for _ in range(2)]
    assert [answer.status_code for answer in calls] == [201, 429]


async def test_probes_are_answered_as_described(client):
    """Otherwise: what starts and watches the server takes it for dead."""
    elsewhere = {"host": "elsewhere.example"}
    answers = [
        await client.get("/healthz"),
        await client.get("/readyz"),
        await client.get("/healthz", headers=elsewhere),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    for answer in answers:
        contract().check(answer_of(answer))


async def test_probes_are_answered_without_the_data_plane(world, monkeypatch):
    """Otherwise: what watches a process of the management plane alone takes it for dead."""
    async with serving("control") as client:
        for path in ("/healthz", "/readyz"):
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            contract().check(answer_of(answer))
        assert (await client.get(world.mcp)).status_code == 404

        def broken():
            raise OperationalError

        monkeypatch.setattr(readiness, "ask", broken)
        down = await client.get("/readyz")
        assert (down.status_code, down.json()["code"]) == (503, "database_unavailable")
        assert (await client.get("/healthz")).status_code == 200


async def test_the_page_to_read_comes_with_all_its_files(client):
    """Otherwise: the docs are an empty page where there is no internet."""
    page = await client.get("/api/docs/")
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(files) == 5
    for address in files:
        file = await client.get(address.replace("&amp;", "&"))
        assert file.status_code == 200, address
        assert file.headers["x-content-type-options"] == "nosniff"
        assert len(file.content) > 300
    known = files[1]
    again = {"if-none-match": (await client.get(known)).headers.get("etag", "")}
    assert (await client.get(known, headers=again)).status_code in {200, 304}
    nothing = await client.get("/static/../settings.py")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")
