"""The protocol's own suite, through the gateway, before a server that has all its fixtures."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentxsuite.control.agents.services import issue_token
from agentxsuite.control.catalog.services import create_connection
from tests.clients import npm
from tests.servers import mcp_http, nginx
from tests.story.conftest import World, serving, synced

SCOPES = ("tool.invoke", "resource.read", "prompt.get")
REVISIONS = ("2025-11-25", "2026-07-28")
FAILURES = npm.FOLDER / "expected-failures.yaml"


@pytest.fixture(scope="module")
def fixtures():
    """A real server, built with the SDK, that offers what the suite asks for."""
    with mcp_http.program("tests.servers.mcp_suite") as address:
        yield address


@pytest.fixture
def suite(world, fixtures) -> World:
    """Its connection, whose agent may do everything."""
    connection = create_connection(world.company.actor, world.company.prod, "Suite", fixtures)
    synced(world.company, connection)
    world.rule("allow", "*", action="*", terms={"rate": {"per_minute": 6000, "burst": 6000}})
    token = issue_token(world.company.actor, world.agent, scopes=SCOPES)[1]
    return replace(world, token=token)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_required_scenario_passes(suite, revision, tmp_path):
    """Otherwise: a client that follows the protocol finds a server that does not."""
    async with serving() as client:
        lines, port = nginx.relay(str(client.base_url).rstrip("/"), **suite.bearer)
        with nginx.running(lines, port) as address:
            status, said = await npm.run(
                "conformance",
                "server",
                *("--url", f"{address}{suite.mcp}suite/", "--requirements", revision),
                *("--expected-failures", str(FAILURES), "--output-dir", str(tmp_path)),
            )
    print(said)  # noqa: T201 - pytest shows it when it fails
    assert status == 0, said[said.rfind("=== SUMMARY") :]
    assert untested(tmp_path) == []


def untested(results: Path) -> list[str]:
    """What the suite could not try, which its exit status forgives; tasks nobody has to offer."""
    return [
        check["id"]
        for file in results.glob("*/checks.json")
        if "-tasks-" not in file.parent.name
        for check in json.loads(file.read_bytes())
        if "not testable" in str(check.get("errorMessage")).lower()
    ]
