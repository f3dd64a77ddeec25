"""Documents of issuers: read through the one door, small, in time, from their own address."""

import pytest

from agentxsuite.engines.upstream import (
    Egress,
    EgressDenied,
    EndpointInvalid,
    UpstreamProtocolError,
    UpstreamTimeout,
    fetch_document,
)
from agentxsuite.engines.upstream.fetch import MOST
from tests.servers import oidc
from tests.servers.mcp_raw import RawServer


@pytest.fixture(scope="module")
def issuer():
    with oidc.running() as running:
        yield running


@pytest.fixture
def door():
    return Egress(["127.0.0.1"])


async def test_a_document_comes_whole(issuer, door):
    """Otherwise: the keys of an issuer are never had."""
    assert b'"keys"' in (await fetch_document(door, f"{issuer.url}/jwks")).body


async def test_the_door_is_shut_for_issuers_as_for_tools(issuer):
    """Otherwise: an issuer's address reaches into the private network."""
    for url in (f"{issuer.url}/jwks", "http://169.254.169.254/keys"):
        with pytest.raises(EgressDenied):
            await fetch_document(Egress(), url)


@pytest.mark.parametrize("url", ["stdio://keys", "file:///etc/passwd", "https://a@b/"])
async def test_only_the_web_has_documents(door, url):
    """Otherwise: a description starts a command or reads a file of this machine."""
    with pytest.raises(EndpointInvalid):
        await fetch_document(door, url)


async def test_what_is_no_small_document_is_refused(issuer, door):
    """Otherwise: an issuer fills the memory, or sends this server elsewhere."""
    for body, status in (("x" * (MOST + 1), 200), ("{}", 302), ("{}", 500)):
        issuer.publish(body, status)
        with pytest.raises(UpstreamProtocolError):
            await fetch_document(door, f"{issuer.url}/jwks")
    issuer.publish(None)


async def test_nobody_waits_for_ever(door):
    """Otherwise: an issuer that is silent keeps every caller waiting."""
    async with RawServer(lambda _asked: None) as server:
        with pytest.raises(UpstreamTimeout):
            await fetch_document(door, server.url, seconds=0.05)
