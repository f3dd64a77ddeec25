"""What a caller shows stops here: a server behind the door never sees it, however one calls."""

import secrets as randomness
from contextlib import asynccontextmanager
from ipaddress import ip_network
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.agents.services import (
    create_agent,
    create_service_account,
    issue_token,
)
from agentxsuite.control.catalog.services import create_connection, sync_connection
from agentxsuite.control.catalog.upstreams import open_upstreams
from agentxsuite.control.secretstore import services as store
from agentxsuite.control.tenancy.models import Environment
from tests.servers import oidc
from tests.servers.certificates import Made
from tests.servers.mcp_raw import RawServer
from tests.servers.mcp_recorder import Recorder
from tests.story.conftest import serving
from tests.story.offering import ACTIONS, permit, rpc

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

# slug: where it listens, how it is logged in to, and what it must see of that and nothing else
OUTBOUND = {
    "none": ("{here}/modern/none", {}, {}),
    "bearer": ("{here}/old/bearer", {}, {"authorization": "Bearer own-secret"}),
    "basic": (
        "sse+{here}/sse",
        {"username": "we"},
        {"authorization": "Basic d2U6b3duLXNlY3JldA=="},
    ),
    "header": ("{here}/modern/header", {"header": "X-Key"}, {"x-key": "own-secret"}),
    "oauth2": (
        "{here}/old/oauth2",
        {"client_id": "we", "token_url": "{here}/token"},
        {"authorization": "Bearer lent-access"},
    ),
}
OURS = {
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "connection",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
}
CARRIED = {
    "cookie": "session=canary-cookie",
    "forwarded": "for=canary-forwarded",
    "proxy-authorization": "Basic canary-proxy",
    "via": "1.1 canary-via",
    "x-api-key": "canary-key",
    "x-canary": "canary-header",
    "x-forwarded-for": "203.0.113.77",
    "x-forwarded-host": "localhost",
    "x-real-ip": "203.0.113.78",
}
CANARIES = ("canary", "203.0.113.7")


async def by_token(world, **_):
    issued = await sync_to_async(issue_token)(world.company.actor, world.agent, scopes=ACTIONS)
    return world.agent, {"authorization": f"Bearer {issued[1]}"}


async def by_secret(world, **_):
    company, value = world.company, randomness.token_urlsafe(32)
    kept = await sync_to_async(store.store)(
        company.actor, company.organization, company.prod, value
    )
    facts = {"inbound_secret_ref": kept.ref}
    agent = await sync_to_async(create_agent)(company.actor, company.prod, "Fixed", **facts)
    return agent, {"authorization": f"Bearer {value}"}


async def by_name(world, settings, **_):
    settings.AGENTS_BY_NAME = "embedded"
    company = world.company
    await Environment.objects.filter(id=company.prod.id).aupdate(type="dev")
    facts = {"inbound_auth_method": "none"}
    agent = await sync_to_async(create_agent)(company.actor, company.prod, "Named", **facts)
    return agent, {"x-agent": str(agent.id)}


async def by_issuer(world, settings, tmp_path, issuer):
    company = world.company
    path = tmp_path / "issuers.toml"
    path.write_text(f'[corporate]\nissuer = "{issuer.url}"\nalgorithms = ["RS256"]\n')
    settings.TRUSTED_ISSUERS = str(path)
    facts = {"issuer": issuer.url, "subject": "robot", "audience": "us"}
    account = await sync_to_async(create_service_account)(
        company.actor, company.organization, "Robot", **facts
    )
    agent = await sync_to_async(create_agent)(
        company.actor, company.prod, "Robot", service_account=account
    )
    return agent, {"authorization": f"Bearer {issuer.token(sub='robot', aud='us')}"}


async def by_certificate(world, settings, tmp_path, **_):
    company, own = world.company, Made.of(tmp_path, "robot")
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    settings.MTLS_HEADER = "X-Client-Cert"
    place = company.actor, company.organization, company.prod
    pin = await sync_to_async(store.store)(*place, own.pem)
    key = await sync_to_async(store.store)(*place, "kept elsewhere")
    facts = {"mtls_cert_ref": pin.ref, "mtls_key_ref": key.ref, "inbound_auth_method": "mtls"}
    agent = await sync_to_async(create_agent)(company.actor, company.prod, "Pinned", **facts)
    return agent, {"x-client-cert": quote(own.pem)}


@pytest.fixture
def issuer():
    with oidc.running() as running:
        yield running


@asynccontextmanager
async def recording(world):
    """A server for each way to log in, connected, synced and open to every agent."""
    company = world.company
    async with RawServer(Recorder().answer) as server, open_upstreams() as upstreams:
        here = server.url.removesuffix("/mcp")
        kept = await sync_to_async(store.store)(
            company.actor, company.organization, company.prod, "own-secret"
        )
        for slug, (where, config, _) in OUTBOUND.items():
            facts = {
                "auth_method": slug,
                "auth_config": {name: word.format(here=here) for name, word in config.items()},
                "secret_ref": None if slug == "none" else kept.ref,
            }
            connection = await sync_to_async(create_connection)(
                company.actor, company.prod, slug, where.format(here=here), **facts
            )
            await sync_connection(company.actor, connection, upstreams)
            await permit(world, "resource.read", f"resource:{slug}/file/_/pub/**")
            await permit(world, "prompt.get", f"prompt:{slug}/*")
        await permit(world, "tool.invoke", "tool:*")
        yield server


async def through_rest(client, world, slug, shown, agent):
    """Call, read and get over REST."""
    body = {"tool": f"{slug}/say", "input": {}, "agent": str(agent.id)}
    body["environment"] = str(world.company.prod.id)
    yield await client.post(world.execute, json=body, headers=shown)
    home = f"/api/v1/orgs/{world.company.organization.id}/mcp/{world.company.prod.id}"
    named = {"agent": str(agent.id)}
    uri = quote(f"{slug}+file:///pub/readme.md", safe="")
    yield await client.get(f"{home}/resources/{uri}/", params=named, headers=shown)
    prompt = quote(f"{slug}/a%2F%C3%BC", safe="")
    yield await client.get(f"{home}/prompts/{prompt}/", params=named, headers=shown)


class Carrying:
    """The world with other headers."""

    def __init__(self, world, bearer):
        self.mcp, self.bearer = world.mcp, bearer


async def through_mcp(client, world, slug, shown, *, modern):
    """Call and read at both of the MCP addresses."""
    caller = Carrying(world, shown)
    how = {"modern": modern}
    yield await rpc(client, caller, "tools/call", {"name": f"{slug}__say", "arguments": {}}, **how)
    uri = {"uri": f"{slug}+file:///pub/readme.md"}
    yield await rpc(client, caller, "resources/read", uri, **how)
    how["slug"] = slug
    yield await rpc(client, caller, "tools/call", {"name": "say", "arguments": {}}, **how)
    yield await rpc(client, caller, "resources/read", {"uri": "file:///pub/readme.md"}, **how)
    yield await rpc(client, caller, "prompts/get", {"name": "a/ü"}, **how)


def held(server, shown):
    """Assert that no request has anything of the caller, and each what its connection shows."""
    words = [word for value in shown.values() for word in value.split() if len(word) > 10]
    own = {where.rpartition("}")[2]: seen for where, _, seen in OUTBOUND.values()}
    own |= {"/messages": own["/sse"], "/token": {"authorization": "Basic d2U6b3duLXNlY3JldA=="}}
    assert {asked.path for asked in server.asked} == set(own)
    for asked in server.asked:
        assert asked.headers.keys() - OURS == own[asked.path].keys(), asked.path
        assert {name: asked.headers[name] for name in own[asked.path]} == own[asked.path]
        whole = f"{asked.path} {asked.headers} {asked.body!r}"
        assert not [word for word in (*words, *CANARIES) if word in whole]


@pytest.mark.parametrize(
    "method", [by_token, by_secret, by_name, by_issuer, by_certificate], ids=lambda m: m.__name__
)
async def test_no_server_sees_what_an_agent_shows(world, settings, tmp_path, issuer, method):
    """Otherwise: any server behind the door can be the agent at every other."""
    async with recording(world) as server:
        means = {"settings": settings, "tmp_path": tmp_path, "issuer": issuer}
        agent, credential = await method(world, **means)
        shown = CARRIED | credential
        async with serving() as client:
            for slug in OUTBOUND:
                async for answer in through_rest(client, world, slug, shown, agent):
                    assert answer.status_code in {200, 201}, (str(answer.request.url), answer.text)
                for modern in (True, False):
                    async for answer in through_mcp(client, world, slug, shown, modern=modern):
                        told = answer.json()
                        assert "result" in told, answer.text
                        assert not told["result"].get("isError"), answer.text
        held(server, shown)


async def test_no_server_sees_what_a_person_shows(world):
    """Otherwise: any server behind the door can be the person in the management plane."""
    login = await sync_to_async(AuthToken.objects.create)(world.company.owner)
    shown = CARRIED | {"authorization": f"Bearer {login[1]}"}
    async with recording(world) as server, serving() as client:
        for slug in OUTBOUND:
            async for answer in through_rest(client, world, slug, shown, world.agent):
                assert answer.status_code in {200, 201}, (str(answer.request.url), answer.text)
        held(server, shown)
