"""Access that is lent: asked for once while it is good, and shown to nobody else."""

import asyncio
import json
from urllib.parse import parse_qs

import pytest

from agentxsuite.engines.upstream import (
    AccessRefused,
    Client,
    Egress,
    EgressDenied,
    EndpointInvalid,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream import fetch as fetching
from agentxsuite.engines.upstream import purse as purses
from agentxsuite.engines.upstream.discovery import discover
from agentxsuite.engines.upstream.fetch import MOST, fetch
from agentxsuite.engines.upstream.purse import Purse
from agentxsuite.engines.upstream.tokens import EARLY, LONGEST, UNTOLD, Lent, ask_token
from tests.servers import mcp_http
from tests.servers.mcp_http import told
from tests.servers.mcp_sse import Old, accept

OWN = {"grant_type": "client_credentials"}
OPEN = Egress(["127.0.0.1"])
MACHINE = {"id": "machine", "secret": "machine's secret"}
LENT = {"access_token": "lent", "token_type": "bearer"}


@pytest.fixture(scope="session")
def guarded_url():
    """A real MCP server behind a real authorization server, in a process of its own."""
    with mcp_http.program("tests.servers.mcp_guarded") as url:
        yield url


@pytest.fixture
async def guarded(guarded_url):
    """The same, as it is at the beginning, and how often it has lent since."""
    await told(guarded_url, "/settings")
    before = len(await told(guarded_url, "/log"))

    async def asked():
        return (await told(guarded_url, "/log"))[before:]

    return asked


def client(url, **more):
    return Client(**{**MACHINE, "resource": url, **more})


async def whoami(upstreams, endpoint):
    result = await upstreams.call_tool(endpoint, "whoami", {}, timeout=10)
    return result["content"][0]["text"]


async def test_access_is_found_asked_for_once_and_used(upstreams, at, guarded_url, guarded):
    """Otherwise: connections that log in by OAuth cannot be used, or ask for a token each call."""
    endpoint = at(guarded_url, client=client(guarded_url, scope="tools read"))
    names = await asyncio.gather(*(whoami(upstreams, endpoint) for _ in range(8)))
    assert names == ["machine"] * 8
    grant = {"grant_type": "client_credentials", "resource": guarded_url, "scope": "tools read"}
    assert await guarded() == [{**grant, "client": "machine"}]


async def test_a_token_that_is_worthless_is_replaced_once(upstreams, at, guarded_url, guarded):
    """Otherwise: a revoked token fails every call until it would have expired."""
    endpoint = at(guarded_url, client=client(guarded_url))
    await whoami(upstreams, endpoint)
    await told(guarded_url, "/forget")
    names = await asyncio.gather(*(whoami(upstreams, endpoint) for _ in range(4)))
    assert names == ["machine"] * 4
    assert len(await guarded()) == 2


async def test_a_wrong_secret_is_told_in_one_word(upstreams, at, guarded_url):
    """Otherwise: nobody knows what to put right, or the secret is in the message."""
    endpoint = at(guarded_url, client=client(guarded_url, secret="guess"))
    with pytest.raises(AccessRefused, match="invalid_client") as refused:
        await whoami(upstreams, endpoint)
    assert refused.value.error == "invalid_client"
    assert "guess" not in repr((refused.value, endpoint, endpoint.client))


async def test_a_server_that_takes_no_token_is_asked_twice_at_most(upstreams, serve, at):
    """Otherwise: a server that always says no is asked for ever."""
    calls = []

    def script(asked):
        if asked.path == "/token":
            asked.reply(json.dumps({**LENT, "access_token": f"lent{len(calls)}"}).encode())
        else:
            calls.append(asked.headers["authorization"])
            asked.reply(b"", "401 Unauthorized")

    server = await serve(script)
    token_url = server.url.replace("/mcp", "/token")
    endpoint = at(server.url, client=client(server.url, token_url=token_url))
    with pytest.raises(UpstreamProtocolError, match="refuses"):
        await whoami(upstreams, endpoint)
    assert len(set(calls)) == 2


async def test_a_new_token_is_shown_without_a_new_conversation(upstreams, serve, at):
    """Otherwise: each renewal ends the session, and with it what was said in it."""
    script = Old(accept)
    tokens = iter(("first", "second"))

    def both(asked):
        if asked.path == "/token":
            return asked.reply(json.dumps({**LENT, "access_token": next(tokens)}).encode())
        stale = asked.headers["authorization"] == "Bearer first"
        if stale and asked.message.get("method") == "tools/call":
            return asked.reply(b"", "401 Unauthorized")
        return script(asked)

    server = await serve(both)
    token_url = server.url.replace("/mcp", "/token")
    endpoint = at("sse+" + server.url, client=client(server.url, token_url=token_url))
    for _ in range(2):
        assert await upstreams.call_tool(endpoint, "x", {}, timeout=5) == {"echo": "tools/call"}
    assert len(script.streams) == 1


async def test_a_process_is_shown_nothing(upstreams, serve, at):
    """Otherwise: a command gets a credential that is for a web server."""
    server = await serve(lambda asked: asked.reply(json.dumps(LENT).encode()))
    endpoint = at("stdio://time", client=client(server.url, token_url=server.url))
    assert {"get_current_time"} <= {
        tool["name"] for tool in await upstreams.list_tools(endpoint, timeout=30)
    }


async def test_tokens_are_kept_for_as_long_as_they_are_good(serve, monkeypatch):
    """Otherwise: calls fail with a token that has expired, or every call asks for one."""
    monkeypatch.setattr(purses, "MOST", 1)
    now = [1000.0]
    body = {**LENT, "expires_in": 100}
    server = await serve(lambda asked: asked.reply(json.dumps(body).encode()))
    purse = Purse(OPEN, lambda: now[0])
    mine = client(server.url, token_url=server.url)
    other = client(server.url, token_url=server.url, id="other")
    for later, times in ((0, 1), (69, 1), (2, 2)):
        now[0] += later
        assert await purse.token(mine) == "lent"
        assert len(server.asked) == times
    purse.spoil(mine, "another")
    purse.spoil(other, "another")
    await purse.token(mine)
    assert len(server.asked) == 2
    await purse.token(other)  # there is room for one only
    await purse.token(mine)
    assert len(server.asked) == 4


async def test_who_is_silent_is_not_waited_for(serve, monkeypatch):
    """Otherwise: a server that never answers holds up everybody for ever."""
    monkeypatch.setattr(fetching, "SECONDS", 0.1)
    server = await serve(lambda _asked: asyncio.Event().wait())
    with pytest.raises(UpstreamTimeout):
        await ask_token(OPEN, client(server.url, token_url=server.url), OWN)


async def test_who_gives_up_does_not_spoil_it_for_others(serve):
    """Otherwise: one impatient caller fails all the others."""
    held = asyncio.Event()

    async def script(asked):
        await held.wait()
        asked.reply(json.dumps(LENT).encode())

    server = await serve(script)
    purse = Purse(OPEN)
    mine = client(server.url, token_url=server.url)
    impatient = asyncio.create_task(purse.token(mine))
    patient = asyncio.create_task(purse.token(mine))
    await server.arrived()
    impatient.cancel()
    held.set()
    assert await patient == "lent"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("told_for", "shown"),
    [
        (100, 100 - EARLY),
        (10, 5),
        (None, UNTOLD - EARLY),
        (0, UNTOLD - EARLY),
        (-5, UNTOLD - EARLY),
        ("3600", UNTOLD - EARLY),
        (True, UNTOLD - EARLY),
        (1e12, LONGEST - EARLY),
    ],
)
async def test_how_long_a_token_is_shown(serve, told_for, shown):
    """Otherwise: a token is shown after its end, or never asked for again."""
    body = LENT if told_for is None else {**LENT, "expires_in": told_for}
    server = await serve(lambda asked: asked.reply(json.dumps(body).encode()))
    lent = await ask_token(OPEN, client(server.url, token_url=server.url), OWN, lambda: 0.0)
    assert (lent.until, lent.refresh) == (shown, "")
    assert "lent" not in repr(lent)


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        ("500 Oh No", {}, UpstreamProtocolError, "HTTP 500"),
        ("302 Found", {}, UpstreamProtocolError, "HTTP 302"),
        ("200 OK", [], UpstreamProtocolError, "JSON"),
        ("200 OK", {}, UpstreamProtocolError, "no bearer"),
        ("200 OK", {"access_token": "a b", "token_type": "bearer"}, UpstreamProtocolError, "no"),
        ("200 OK", {"access_token": "a", "token_type": "mac"}, UpstreamProtocolError, "no bearer"),
        ("200 OK", {"access_token": "a", "token_type": 7}, UpstreamProtocolError, "no bearer"),
        ("400 Bad", {"error": "invalid_scope"}, AccessRefused, "invalid_scope"),
        ("400 Bad", {"error": "<b>"}, AccessRefused, "refused"),
        ("401 No", {}, AccessRefused, "refused"),
    ],
)
async def test_an_answer_that_lends_nothing_is_told(serve, status, body, error, words):
    """Otherwise: a hostile or broken authorization server decides what we show or say."""
    server = await serve(lambda asked: asked.reply(json.dumps(body).encode(), status))
    with pytest.raises(error, match=words):
        await ask_token(OPEN, client(server.url, token_url=server.url), OWN)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (lambda asked: asked.reply(b"x" * (MOST + 1)), "too long"),
        (lambda asked: asked.stream(), "too long"),
        (lambda asked: asked.reply(b"{"), "JSON"),
        (lambda asked: asked.reply(b"{}", content_type="text/html"), "JSON"),
    ],
)
async def test_an_answer_that_is_no_object_is_told(serve, reply, words):
    """Otherwise: memory is filled by an authorization server, or a page is read as a token."""
    server = await serve(reply)
    with pytest.raises(UpstreamProtocolError, match=words):
        await ask_token(OPEN, client(server.url, token_url=server.url), OWN)


async def test_a_public_client_and_one_that_shows_its_secret_in_the_form(serve):
    """Otherwise: servers that take no header, and clients without a secret, get no token."""
    base = []

    def script(asked):
        if asked.path.startswith("/.well-known/oauth-authorization-server"):
            told_of = {"issuer": base[0], "token_endpoint": f"{base[0]}/token"}
            methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
            asked.reply(json.dumps(told_of | methods).encode())
        elif asked.path == "/token":
            asked.reply(json.dumps({**LENT, "refresh_token": "again"}).encode())
        else:
            asked.reply(b"", "404 Not Found")

    server = await serve(script)
    base.append(server.url.removesuffix("/mcp"))
    lent = await ask_token(OPEN, client(server.url), OWN)
    assert lent.refresh == "again"
    form = parse_qs(server.asked[-1].body.decode())
    assert (form["client_id"], form["client_secret"]) == (["machine"], ["machine's secret"])
    assert "authorization" not in server.asked[-1].headers
    await ask_token(OPEN, client(server.url, secret=""), {"grant_type": "authorization_code"})
    form = parse_qs(server.asked[-1].body.decode())
    assert (form["client_id"], "client_secret" in form, "scope" in form) == (
        ["machine"],
        False,
        False,
    )


def documents(pages):
    """A server of JSON documents by their paths; `{here}` is its own address."""

    def script(asked):
        page = pages.get(asked.path)
        if page is None:
            asked.reply(b"", "404 Not Found")
        else:
            here = asked.headers["host"]
            asked.reply(json.dumps(page).replace("{here}", f"http://{here}").encode())

    return script


RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
TENANT = {"issuer": "{here}/tenant", "token_endpoint": "{here}/token"}
ORIGIN = {
    "issuer": "{here}",
    "token_endpoint": "{here}/token",
    "authorization_endpoint": "{here}/a",
}
AT_TENANT = {"authorization_servers": ["{here}/tenant"]}


@pytest.mark.parametrize(
    "pages",
    [
        {f"{RESOURCE}/mcp": {"resource": "{here}/mcp", **AT_TENANT}, f"{SERVER}/tenant": TENANT},
        {RESOURCE: {"resource": "{here}", **AT_TENANT}, f"{OPENID}/tenant": TENANT},
        {RESOURCE: {"resource": "{here}/", **AT_TENANT}, f"/tenant{OPENID}": TENANT},
        {SERVER: ORIGIN},
        {RESOURCE: {"resource": "{here}", "authorization_servers": []}, SERVER: ORIGIN},
        {RESOURCE: {"resource": "{here}", "authorization_servers": [7]}, OPENID: ORIGIN},
        {f"{RESOURCE}/mcp": [], SERVER: ORIGIN},
    ],
)
async def test_an_authorization_server_is_found_in_each_of_its_places(serve, pages):
    """Otherwise: a server that follows the standard has to be set up by hand."""
    server = await serve(documents(pages))
    found = await discover(OPEN, server.url)
    assert found.token_url == server.url.replace("/mcp", "/token")


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({}, "describe itself"),
        ({SERVER: {**ORIGIN, "issuer": "https://elsewhere.example"}}, "another name"),
        ({SERVER: {**ORIGIN, "token_endpoint": None}}, "no tokens"),
        ({RESOURCE: {"resource": "https://elsewhere.example"}}, "another resource"),
        ({RESOURCE: {"resource": "{here}/mcp/other"}}, "another resource"),
        ({RESOURCE: {"resource": None}}, "another resource"),
    ],
)
async def test_documents_that_are_about_somebody_else_are_not_believed(serve, pages, words):
    """Otherwise: one server sends the credentials meant for another to itself."""
    server = await serve(documents(pages))
    with pytest.raises(UpstreamProtocolError, match=words):
        await discover(OPEN, server.url)


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("http://10.0.0.1/as", EgressDenied),
        ("http://169.254.169.254/as", EgressDenied),
        ("stdio://git", EndpointInvalid),
        ("sse+http://127.0.0.1:1/", EndpointInvalid),
        ("http://127.0.0.1:1/as", UpstreamUnavailable),
    ],
)
async def test_discovery_leads_nowhere_that_is_closed(serve, named, error):
    """Otherwise: a server names the inside of the network as its authorization server."""
    pages = {RESOURCE: {"resource": "{here}", "authorization_servers": [named]}}
    server = await serve(documents(pages))
    with pytest.raises(error):
        await discover(OPEN, server.url)


async def test_redirects_are_not_followed(serve):
    """Otherwise: a redirect leads the secret past every check."""
    canary = await serve(lambda asked: asked.reply(b"{}"))
    server = await serve(lambda asked: asked.reply(b"", "307 Go On", location=canary.url))
    with pytest.raises(UpstreamError):
        await ask_token(OPEN, client(server.url, token_url=server.url), OWN)
    assert canary.connections == 0


async def test_every_request_leaves_its_socket(serve):
    """Otherwise: each token that is asked for leaves a socket open."""
    server = await serve(lambda asked: asked.reply(b"{}"))
    await fetch(OPEN, server.url)
    await server.all_closed()
    assert repr(Lent("secret", 1.0)) == "Lent(until=1.0)"
