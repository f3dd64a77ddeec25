"""The outbound door, with a listener behind it that nobody may reach."""

import asyncio
import itertools
import socket

import pytest

from agentxsuite.engines.upstream import (
    Egress,
    EgressDenied,
    EndpointInvalid,
    UpstreamError,
    Upstreams,
    UpstreamUnavailable,
    check_endpoint,
)
from agentxsuite.engines.upstream import egress as door
from agentxsuite.engines.upstream.endpoint import Web
from agentxsuite.engines.upstream.http1 import Connection
from tests.servers.mcp_raw import stateless

EVERYWHERE = "0.0.0.0"  # noqa: S104  -- the canary listens on every address of this machine
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.01",
    "127.0.0.0x1",
    "00000127.0.0.1",
    "127.0.0.1.",
    "0",
    EVERYWHERE,
    "0.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "example.com@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com",
    "127\u30020\u30020\u30021",
    "\u2460\u2461\u2466.0.0.1",
    "\uff11\uff12\uff17.0.0.1",
    "127.0.0.1\t",
    "127.0.0.1%00.example.com",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]",
    "[::1%25lo]",
    "[fe80::1%25lo]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00::1]",
]
ELSEWHERE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[100::1]",
]


@pytest.fixture
async def canary():
    """A listener on every local address; ``hits`` counts who got through."""
    hits = asyncio.Queue()

    def accept(reader, writer):
        hits.put_nowait(writer.get_extra_info("sockname"))
        writer.close()

    port = _free_port()
    servers = [await asyncio.start_server(accept, host, port) for host in (EVERYWHERE, "::1")]
    yield port, hits
    for server in servers:
        server.close()
        await server.wait_closed()


def _nothing(asked):
    """A server that does not answer."""


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


async def test_no_spelling_gets_through(canary, at):
    """A tenant could read what only this machine and its network may see."""
    port, hits = canary
    spellings = LOOPBACK + ELSEWHERE
    assert len(spellings) >= 60
    async with Upstreams(Egress()) as engine:
        for scheme, host in itertools.product(("https", "http"), spellings):
            with pytest.raises((EgressDenied, EndpointInvalid)):
                await engine.probe(at(f"{scheme}://{host}:{port}/mcp"), timeout=5)
    assert hits.empty()


async def test_no_name_gets_through(canary, at):
    """A tenant could point a name of their own at the inside."""
    port, hits = canary
    addresses = [host.strip("[]") for host in LOOPBACK if _is_address(host.strip("[]"))]

    async def resolver(host, port):
        return ["93.184.215.14", addresses[int(host.split(".")[0].removeprefix("n"))]]

    async with Upstreams(Egress(resolver=resolver)) as engine:
        for number, _ in enumerate(addresses):
            with pytest.raises(EgressDenied) as caught:
                await engine.probe(at(f"https://n{number}.example.com:{port}/"), timeout=5)
            assert addresses[number] not in caught.value.detail
    assert len(addresses) > 20
    assert hits.empty()


def _is_address(text):
    try:
        door.parse(text)
    except ValueError:
        return False
    return "%" not in text


async def test_alternating_resolver(canary, at):
    """A name could change its mind between the check and the connection."""
    port, hits = canary
    answers = itertools.cycle([["198.51.100.1"], ["127.0.0.1"]])
    asked = []

    async def resolver(host, port):
        asked.append(host)
        return next(answers)

    async with Upstreams(Egress(["198.51.100.0/24"], resolver=resolver)) as engine:
        for number in range(6):
            with pytest.raises(UpstreamError):
                await engine.probe(at(f"https://rebind.example.com:{port}/{number}"), timeout=0.2)
    assert len(asked) == 6
    assert hits.empty()


async def test_what_the_operator_opens(canary):
    """An operator could not reach the servers of their own network."""
    port, hits = canary

    async def resolver(host, port):
        return ["127.0.0.1"]

    for entry, url in (
        ("127.0.0.1", "http://127.0.0.1"),
        (f"127.0.0.1:{port}", "http://127.0.0.1"),
        ("127.0.0.0/8", "http://127.0.0.1"),
        ("127.0.0.0/8", "http://[::ffff:127.0.0.1]"),
        (f"[::1]:{port}", "http://[::1]"),
        ("::1", "http://[::1]"),
        ("inside.example", "http://inside.example"),
        (f"Inside.example:{port}", "http://inside.example"),
    ):
        host = url.removeprefix("http://").strip("[]")
        given = {} if _is_address(host) else {"resolver": resolver}
        egress = Egress([" ", entry], **given)
        connection = await egress.connect(Web("http", host, port, "/"), Connection)
        connection.abort()
        async with asyncio.timeout(5):
            await hits.get()


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9001),
        ("10.0.0.0/8", "127.0.0.1", 9000),
        ("::/0", "127.0.0.1", 9000),
        ("other.example", "127.0.0.1", 9000),
        ("0.0.0.0/0", "169.254.169.254", 80),
        ("169.254.169.254", "169.254.169.254", 80),
        ("::/0", "fd00:ec2::254", 80),
        ("::/0", "64:ff9b::a9fe:a9fe", 80),
        ("::/0", "2002:a9fe:a9fe::", 80),
        ("::/0", "2001:0:a9fe:a9fe::", 80),
        ("0.0.0.0/0", EVERYWHERE, 80),
        ("0.0.0.0/0", "100.100.100.200", 80),
    ],
)
async def test_what_stays_shut(entry, host, port):
    """One opened address would open its neighbours, or the cloud's own keys."""
    with pytest.raises(EgressDenied):
        await Egress([entry]).connect(Web("http", host, port, "/"), Connection)


async def test_a_name_does_not_open_metadata():
    """A name that the operator trusts could be turned to the cloud's keys."""

    async def resolver(host, port):
        return ["169.254.169.254"]

    egress = Egress(["trusted.example"], resolver=resolver)
    with pytest.raises(EgressDenied):
        await egress.connect(Web("http", "trusted.example", 80, "/"), Connection)


@pytest.mark.parametrize("entry", ["a b:x", "10.0.0.0/33", "host:port", "[::1", "http://x"])
def test_unreadable_entry(entry):
    """A typing error in EGRESS_ALLOW would open nothing, or too much, without a word."""
    with pytest.raises(ValueError, match="EGRESS_ALLOW"):
        Egress([entry])


async def test_plain_http_to_the_public():
    """A credential would cross the internet in the clear."""
    with pytest.raises(EgressDenied, match="http"):
        await Egress().connect(Web("http", "93.184.215.14", 80, "/"), Connection)


async def test_unknown_name():
    """A person would not learn that the name is misspelt."""

    async def resolver(host, port):
        raise socket.gaierror

    with pytest.raises(UpstreamUnavailable, match="resolve"):
        await Egress(resolver=resolver).connect(Web("https", "no.example", 443, "/"), Connection)


async def test_empty_answer():
    """A name without addresses would crash the call."""

    async def resolver(host, port):
        return []

    with pytest.raises(UpstreamUnavailable):
        await Egress(resolver=resolver).connect(Web("https", "no.example", 443, "/"), Connection)


async def test_second_address_is_tried(serve):
    """An upstream with one broken address would be down for us alone."""
    server = await serve(stateless(_nothing))

    async def resolver(host, port):
        return ["127.0.0.9", "127.0.0.1"]

    egress = Egress(["two.example"], resolver=resolver)
    web = Web("http", "two.example", server.port, "/")
    connection = await egress.connect(web, Connection)
    connection.abort()
    assert not connection.fresh()


async def test_an_address_that_swallows_everything(monkeypatch):
    """A dead address would use up the whole deadline."""
    monkeypatch.setattr(door, "CONNECT_SECONDS", 0.1)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.socket() as first, socket.socket() as second:
            for client in (first, second):
                client.settimeout(0)
                client.connect_ex(address)
            egress = Egress(["127.0.0.1"])
            with pytest.raises(UpstreamUnavailable, match="does not accept"):
                await egress.connect(Web("http", "127.0.0.1", address[1], "/"), Connection)


def test_literal_addresses_are_checked_when_written():
    """A person would learn only at the first call that an address is shut."""
    with pytest.raises(EgressDenied):
        check_endpoint("https://10.0.0.1/mcp", {}, Egress())
    check_endpoint("https://10.0.0.1/mcp", {}, Egress(["10.0.0.0/8"]))
    check_endpoint("https://10.0.0.1/mcp", {})
    check_endpoint("https://mcp.example.com/mcp", {}, Egress())


@pytest.fixture
def named(authority):
    """The way to ``mcp.example``, which is this machine."""

    async def resolver(host, port):
        return ["127.0.0.1"]

    return Egress(["mcp.example"], tls=authority.client, resolver=resolver)


async def test_tls(named, authority, serve, at):
    """An upstream with a proper certificate could not be reached, or would not know its name."""
    names = []
    context = authority.server("mcp.example")
    context.sni_callback = lambda *told: names.append(told[1])
    server = await serve(stateless(lambda asked: asked.result({"content": []})), tls=context)
    endpoint = at(f"https://mcp.example:{server.port}/mcp")
    async with Upstreams(named) as engine:
        for _ in range(3):
            await engine.call_tool(endpoint, "t", {}, timeout=5)
    assert names == ["mcp.example"]
    assert server.asked[0].headers["host"] == f"mcp.example:{server.port}"


async def test_wrong_certificate(named, authority, serve, at):
    """Somebody in between could read and change every call."""
    server = await serve(_nothing, tls=authority.server("other.example"))
    async with Upstreams(named) as engine:
        with pytest.raises(UpstreamUnavailable, match="certificate"):
            await engine.probe(at(f"https://mcp.example:{server.port}/mcp"), timeout=5)
    assert server.asked == []


async def test_unknown_authority(authority, serve, at):
    """A self-made certificate would be as good as a real one."""
    server = await serve(_nothing, tls=authority.server("127.0.0.1"))
    async with Upstreams(Egress(["127.0.0.1"])) as engine:
        with pytest.raises(UpstreamUnavailable, match="certificate"):
            await engine.probe(at(f"https://127.0.0.1:{server.port}/mcp"), timeout=5)


async def test_no_tls_at_all(upstreams, at):
    """A person would not learn that https was the wrong scheme."""

    def refuse(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    port = _free_port()
    async with await asyncio.start_server(refuse, "127.0.0.1", port):
        with pytest.raises(UpstreamUnavailable, match="TLS"):
            await upstreams.probe(at(f"https://127.0.0.1:{port}/mcp"), timeout=5)
