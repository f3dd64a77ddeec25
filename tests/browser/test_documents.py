"""Clients that are an https address: their document is fetched, by the one outbound door."""

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from oauth2_provider.cimd import CIMDError

from agentxsuite.control.oauth import documents
from agentxsuite.control.oauth.models import Client
from tests.browser.documents import site
from tests.browser.pages import listening
from tests.browser.test_mcp_login import connected, provider
from tests.browser.visitor import Visitor, program_of

pytestmark = [pytest.mark.django_db(transaction=True)]
HOME = "http://127.0.0.1:9/callback"


@pytest.fixture(autouse=True)
def _nothing_failed_before():
    cache.clear()


async def test_a_client_with_a_document_needs_no_registration(house, tab, tmp_path, monkeypatch):
    """Otherwise: clients of today cannot say who they are in a way that can be checked."""
    async with site(tmp_path, monkeypatch) as there, listening() as callback:
        there.tell(callback.address)
        login = provider(house, callback, tab, document=there.address)
        async with connected(house, login) as client:
            assert (await client.list_tools()).tools
        text = await tab.evaluate("document.body.innerText")
        assert text == "Done"
        assert there.asked == 1
    row = await sync_to_async(Client.objects.get)()
    assert (row.client_id, row.name, row.client_secret) == (there.address, "Documented", "")


async def test_people_see_whose_address_a_client_is(house, tmp_path, monkeypatch):
    """Otherwise: a name that anybody can choose is all that people have to go by."""
    async with site(tmp_path, monkeypatch) as there, Visitor(house) as bob:
        there.tell(HOME)
        program = await program_of(house)
        page = await bob.browser.get(program.link(client_id=there.address))
        assert there.address in page.text
        assert "nobody has checked it" not in page.text
        page = await bob.browser.get(program.link())
        assert "nobody has checked it" in page.text
        other = program.link(client_id=there.address, redirect_uri="http://127.0.0.1:9/x")
        assert (await bob.browser.get(other)).status_code == 400


async def test_documents_are_not_fetched_from_inside(house, settings, tmp_path, monkeypatch):
    """Otherwise: strangers have our server look around in our network."""
    settings.EGRESS_ALLOW = []
    async with site(tmp_path, monkeypatch) as there:
        there.tell(HOME)
        program = await program_of(house)
        for _ in range(2):
            answer = await house.client.get(program.link(client_id=there.address))
            assert answer.status_code == 400
        assert there.asked == 0
    assert await sync_to_async(Client.objects.count)() == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 404},
        {"status": 302, "more": "Location: https://127.0.0.1/\r\n"},
        {"kind": "text/html"},
        {"answer": b"{"},
        {"answer": []},
        {"answer": b"x" * 20_000},
        {"facts": {"client_id": "https://another.example/"}},
        {"facts": {"redirect_uris": ["http://evil.example/"]}},
        {"facts": {"token_endpoint_auth_method": "client_secret_post"}},
        {"facts": {"client_name": 5}},
    ],
    ids=str,
)
async def test_a_document_that_is_none_is_no_client(house, tmp_path, monkeypatch, broken):
    """Otherwise: a page that somebody may write to becomes a client of theirs."""
    async with site(tmp_path, monkeypatch) as there:
        there.tell(HOME, **broken.pop("facts", {}))
        for name, value in broken.items():
            setattr(there, name, value)
        program = await program_of(house)
        answer = await house.client.get(program.link(client_id=there.address))
        assert answer.status_code == 400
        assert there.asked == 1
        await house.client.get(program.link(client_id=there.address))
        assert there.asked == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://client.example/a",
        "https://client.example",
        "https://a@client.example/a",
        "https://client.example/a#b",
        "https://client.example/a/../b",
        "https://client.example:x/a",
        "https://client.example:0/a",
        "https://client.example/ü",
        "https:///a",
    ],
)
def test_what_is_no_clients_address_is_never_asked_for(address):
    """Otherwise: odd spellings lead the server to odd places."""
    with pytest.raises(CIMDError):
        documents.check(address)


def test_a_document_counts_for_as_long_as_it_says_within_bounds():
    """Otherwise: a client's site is asked at every login, or a withdrawn client lives for ever."""
    spoken = {
        b"": documents.LONGEST,
        b"no-store": documents.SHORTEST,
        b"max-age=1": documents.SHORTEST,
        b"max-age=3600": 3600,
        b"max-age=999999999": documents.LONGEST,
    }
    assert {control: documents.lifetime(control) for control in spoken} == spoken
