"""Agents that log in by their client certificate, before a real nginx that ends TLS."""

import hashlib
import ssl
from contextlib import asynccontextmanager
from ipaddress import ip_network
from urllib.parse import quote

import httpx2
import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import change_agent, create_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.problems import Invalid
from agentxsuite.control.secretstore import services as store
from agentxsuite.control.secretstore.models import SecretVersion
from tests.servers import nginx
from tests.servers.certificates import Made
from tests.story.conftest import serving

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADER = "x-client-cert"
TERMINATOR = """
server {{
  listen 127.0.0.1:{port} ssl;
  ssl_certificate {server.certificate}; ssl_certificate_key {server.key};
  ssl_verify_client optional_no_ca;
  location / {{
    proxy_pass {address}; proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
  }}
}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a certificate by a name."""
    folder = tmp_path_factory.mktemp("certificates")
    return lambda name, **facts: Made.of(folder, name, **facts)


@pytest.fixture(scope="module")
def own(made) -> Made:
    return made("robot")


@pytest.fixture(autouse=True)
def trusting(settings):
    """Only 127.0.0.1 is the proxy; this machine has other addresses for strangers."""
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    settings.MTLS_HEADER = "X-Client-Cert"


@pytest.fixture
def robot(world, own) -> Agent:
    """An agent that the certificate is pinned for."""
    world.allow()
    company = world.company
    pin = store.store(company.actor, company.organization, company.prod, own.pem)
    key = store.store(company.actor, company.organization, company.prod, "kept elsewhere")
    return create_agent(
        company.actor,
        company.prod,
        "Robot",
        inbound_auth_method="mtls",
        mtls_cert_ref=pin.ref,
        mtls_key_ref=key.ref,
    )


@asynccontextmanager
async def behind_nginx(made):
    """Serve behind nginx; yields how a client with a certificate, or without, gets there."""
    server = made("server")
    async with serving() as direct:
        port = nginx.free_port()
        lines = TERMINATOR.format(port=port, server=server, address=direct.base_url)
        with nginx.running(lines, port):

            def client(own=None):
                context = ssl.create_default_context(cafile=str(server.certificate))
                if own is not None:
                    context.load_cert_chain(own.certificate, own.key)
                return from_address("127.0.0.2", f"https://127.0.0.1:{port}", verify=context)

            yield client


def from_address(local, base, **facts):
    """A client whose socket has another address of this machine."""
    transport = httpx2.AsyncHTTPTransport(local_address=local, **facts)
    return httpx2.AsyncClient(transport=transport, base_url=str(base), timeout=30)


async def called(client, world, headers=None, **body):
    answer = await client.post(world.execute, json=ECHO | body, headers=headers or {})
    return answer.status_code, answer.json().get("code")


async def test_a_pinned_certificate_opens_all_three_doors(made, robot, world, own):
    """Otherwise: agents whose keys never leave their machine stay outside."""
    async with behind_nginx(made) as reach, reach(own) as client:
        assert await called(client, world) == (201, None)
        assert await called(client, world, agent=robot.slug, environment="prod") == (201, None)
        for address in (world.mcp, f"{world.mcp}tests/"):
            shown = await client.post(address, json=LIST)
            assert shown.json()["result"]["tools"]
    event = await AuditEvent.objects.filter(event_type="run_finished").afirst()
    assert (event.context["auth_method"], event.subject) == ("mtls", f"agent:{robot.id}")
    assert event.context["ip"] == "127.0.0.2"


async def test_no_certificate_and_anothers_are_refused(made, robot, world, own):
    """Otherwise: any certificate, or a copy of one without its key, opens the door."""
    async with behind_nginx(made) as reach:
        copied = {HEADER: quote(own.pem)}
        async with reach() as client:
            assert await called(client, world) == (401, "unauthenticated")
            # nginx says what it has seen, not what the client says.
            assert await called(client, world, copied) == (401, "unauthenticated")
        async with reach(made("stranger")) as client:
            assert await called(client, world) == (401, "certificate_unknown")
            assert await called(client, world, copied) == (401, "certificate_unknown")


async def test_nobody_but_the_proxy_says_who_has_a_certificate(robot, world, own):
    """Otherwise: whoever reaches the server past its proxy is any agent."""
    async with serving() as direct, from_address("127.0.0.3", direct.base_url) as stranger:
        forged = {HEADER: quote(own.pem)}
        for path in (world.execute, world.mcp, f"{world.mcp}tests/", "/api/v1/orgs/", "/healthz"):
            answer = await stranger.post(path, json=ECHO, headers=forged)
            assert (answer.status_code, answer.json()["code"]) == (400, "proxy_header_refused")
        for tried in ("X-Client-Cert", "x-client-CERT"):
            answer = await called(stranger, world, {tried: quote(own.pem)})
            assert answer == (400, "proxy_header_refused")
        # The proxy itself is believed, but not when it passes on what a client added.
        assert await called(direct, world, forged) == (201, None)
        twice = [(HEADER, quote(own.pem)), (HEADER, quote(own.pem))]
        assert await called(direct, world, twice) == (400, "proxy_header_refused")


async def test_nobody_but_the_proxy_says_where_a_call_is_from(robot, world):
    """Otherwise: a policy that allows the office network allows everybody."""
    bearer = world.bearer
    async with serving() as direct, from_address("127.0.0.3", direct.base_url) as stranger:
        for client, told in (
            (stranger, "198.51.100.7"),
            (direct, "198.51.100.7"),
            (direct, "203.0.113.9, 198.51.100.7"),
            (direct, "198.51.100.7, 127.0.0.1"),
            (direct, "garbage"),
        ):
            answer = await called(client, world, {**bearer, "x-forwarded-for": told})
            assert answer == (201, None)
    events = AuditEvent.objects.filter(event_type="run_finished").order_by("id")
    seen = [event.context["ip"] async for event in events]
    assert seen == ["127.0.0.3", "198.51.100.7", "198.51.100.7", "198.51.100.7", "127.0.0.1"]


async def test_management_hears_the_same_of_a_caller(robot):
    """Otherwise: behind a proxy all people share one address, and one of them locks out all."""
    wrong = {"email": "nobody@acme.example", "password": "wrong password"}
    async with serving() as direct, from_address("127.0.0.3", direct.base_url) as stranger:
        for client in (direct, stranger):
            told = {"x-forwarded-for": "198.51.100.7"}
            answer = await client.post("/api/v1/auth/login/", json=wrong, headers=told)
            assert answer.status_code == 401
    events = AuditEvent.objects.filter(event_type="login_failed").order_by("id")
    assert [event.context["ip"] async for event in events] == ["198.51.100.7", "127.0.0.3"]


async def test_without_the_settings_the_header_means_nothing(robot, world, own, settings):
    """Otherwise: a server without a proxy believes everybody."""
    settings.TRUSTED_PROXIES, settings.MTLS_HEADER = [], ""
    async with serving() as direct:
        assert await called(direct, world, {HEADER: quote(own.pem)}) == (401, "unauthenticated")
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    async with serving() as direct:
        assert await called(direct, world, {HEADER: quote(own.pem)}) == (401, "unauthenticated")


async def test_what_happens_to_the_pin_counts_at_once(robot, world, own, made):
    """Otherwise: a lost key goes on opening the door."""
    actor, old, new = world.company.actor, {HEADER: quote(own.pem)}, made("renewed")
    async with serving() as direct:
        assert await called(direct, world, old) == (201, None)
        pin = await store.Secret.objects.aget(ref=robot.mtls_cert_ref)
        digest = hashlib.sha256(new.der).hexdigest()
        coloned = ":".join(digest[place : place + 2] for place in range(0, 64, 2)).upper()
        await sync_to_async(store.rotate)(actor, pin, coloned)
        assert await called(direct, world, old) == (401, "certificate_unknown")
        renewed = {HEADER: quote(new.pem)}
        assert await called(direct, world, renewed) == (201, None)
        await sync_to_async(change_agent)(actor, robot, enabled=False)
        assert await called(direct, world, renewed) == (403, "agent_disabled")
        closed = {"enabled": True, "inbound_auth_method": "none"}
        await sync_to_async(change_agent)(actor, robot, **closed)
        assert await called(direct, world, renewed) == (401, "certificate_unknown")


async def test_an_expired_certificate_is_refused_and_told(robot, world, made):
    """Otherwise: a certificate is good for ever, and nobody sees that it has run out."""
    expired = made("expired", days=-1)
    pin = await store.Secret.objects.aget(ref=robot.mtls_cert_ref)
    await sync_to_async(store.rotate)(world.company.actor, pin, expired.pem)
    async with serving() as direct:
        shown = {HEADER: quote(expired.pem)}
        assert await called(direct, world, shown) == (401, "certificate_expired")
        assert await called(direct, world, {HEADER: "garbage"}) == (401, "certificate_unknown")
    event = await AuditEvent.objects.filter(event_type="call_unauthenticated").afirst()
    assert event.subject == f"agent:{robot.id}"


async def test_a_pin_without_its_fingerprint_opens_nothing(robot, world, own):
    """Otherwise: an agent whose pin was never looked at logs in with any certificate."""
    await SecretVersion.objects.aupdate(fingerprint=None)
    async with serving() as direct:
        shown = {HEADER: quote(own.pem)}
        assert await called(direct, world, shown) == (401, "certificate_unknown")
        answer = await direct.post(world.mcp, json=LIST, headers=shown)
    assert (answer.status_code, answer.json()["code"]) == (401, "certificate_unknown")


async def test_the_authorization_header_counts_before_the_certificate(robot, world, own):
    """Otherwise: behind a proxy that wants certificates nobody can use a token."""
    async with serving() as direct:
        shown = {HEADER: quote(own.pem)}
        assert await called(direct, world, {**shown, **world.bearer}) == (201, None)
        wrong = {**shown, "authorization": "Bearer wrong"}
        assert await called(direct, world, wrong) == (401, "token_unknown")
    event = await AuditEvent.objects.filter(event_type="run_finished").afirst()
    assert event.context["auth_method"] == "agent_token"


def test_what_is_pinned_is_a_certificate_of_one_agent(robot, world, own):
    """Otherwise: an agent is made that can never log in, or that is two at once."""
    company = world.company
    for text in ("no certificate", "AA" * 31, own.pem):
        pin = store.store(company.actor, company.organization, company.prod, text)
        with pytest.raises(Invalid) as refused:
            create_agent(
                company.actor,
                company.prod,
                "Other",
                inbound_auth_method="mtls",
                mtls_cert_ref=pin.ref,
                mtls_key_ref=pin.ref,
            )
        assert refused.value.errors[0]["path"] == "/mtls_cert_ref"
