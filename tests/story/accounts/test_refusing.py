"""Nobody is led astray while they lend an account, and nobody lends for somebody else."""

from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Account
from tests.cast import person
from tests.servers.mcp_http import told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


async def test_nobody_lends_for_somebody_else(world, own):
    """Otherwise: a link sent to a colleague gives their account away."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    bob = await somebody(world.company.people["bob"])
    begun = await bob.api.post(f"{home}connections/{connection.id}/authorize/")
    page = await alice.returns(begun.json()["authorize_url"], "alice-there")
    assert page.status_code == 403
    assert not await Account.objects.aexists()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"state": "forged"}, 400),
        ({"iss": "https://elsewhere.example"}, 400),
        ({"iss": None}, 400),
        ({"code": "guessed"}, 502),
        ({"code": None, "error": "access_denied"}, 403),
    ],
)
async def test_an_answer_that_was_not_asked_for_lends_nothing(world, own, change, status):
    """Otherwise: another server's answer, or a guessed one, is taken for the one that was asked."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    begun = await alice.api.post(f"{home}connections/{connection.id}/authorize/")
    async with httpx2.AsyncClient() as outside:
        sent = await outside.get(begun.json()["authorize_url"])
    back = dict(parse_qsl(urlsplit(sent.headers["location"]).query))
    answer = {name: word for name, word in (back | change).items() if word is not None}
    page = await alice.browser.get(f"/account/callback/{connection.id}/", params=answer)
    assert page.status_code == status, page.text
    assert not await Account.objects.aexists()


async def test_who_is_not_logged_in_logs_in_first(world, own):
    """Otherwise: the browser of anybody could finish what somebody began."""
    connection, _, somebody = own
    alice = await somebody(world.company.owner)
    alice.browser.cookies.clear()
    callback = f"/account/callback/{connection.id}/?code=x"
    for path in (f"/account/connect/?connection={connection.id}", callback):
        sent = await alice.browser.get(path)
        assert sent.status_code == 302
        assert sent.headers["location"].endswith(f"/login/?next={quote(path, safe='')}")


async def test_a_shared_connection_has_nothing_to_connect(world, own):
    """Otherwise: people lend an account that is never used."""
    _, home, somebody = own
    alice = await somebody(world.company.owner)
    answer = await alice.api.post(f"{home}connections/{world.connection.id}/authorize/")
    assert (answer.status_code, answer.json()["code"]) == (409, "account_shared")
    viewer = await somebody(world.company.people["vera"])
    answer = await viewer.api.post(f"{home}connections/{world.connection.id}/authorize/")
    assert answer.status_code == 403


async def test_nobody_connects_where_they_do_not_belong(world, own):
    """Otherwise: a stranger learns which servers there are, and lends them an account."""
    connection, _, somebody = own
    stranger = await sync_to_async(person)("mallory", "Elsewhere")
    for user, status in ((stranger, 404), (world.company.people["vera"], 403)):
        page = await (await somebody(user)).browser.get(
            "/account/connect/", params={"connection": str(connection.id)}
        )
        assert page.status_code == status
    odd = await (await somebody(stranger)).browser.get("/account/connect/?connection=x")
    assert odd.status_code == 404


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("proof=plain", "upstream_protocol"),
        ("page=javascript:alert(1)", "upstream_protocol"),
        ("page=http://known.example@127.0.0.1/", "endpoint_credentials"),
        ("page=https://10.0.0.1/", "egress_denied"),
    ],
)
async def test_a_server_that_lets_no_person_in_is_told(world, own, server, says, code):
    """Otherwise: a person is sent where no code comes from, or what is no page is run."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await told(server, f"/settings?{says}")
    path = f"{home}connections/{connection.id}/"
    answer = await alice.api.post(f"{path}authorize/")
    assert (answer.status_code, answer.json()["code"]) == (502, code)
    page = await alice.browser.get(f"/account/connect/?connection={connection.id}")
    assert page.status_code == 502
    tested = await alice.api.post(f"/api/v1/connections/{connection.id}/test/")
    assert (tested.status_code, tested.json()["code"]) == (409, "account_needed")


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"token_url": "https://as.example/token"}, "/auth_config/authorize_url"),
        ({"authorize_url": "https://as.example/in"}, "/auth_config/token_url"),
        (
            {"token_url": "https://as.example/token", "authorize_url": "https://10.0.0.1/in"},
            "/auth_config/authorize_url",
        ),
        ({"grant": "password"}, "/auth_config/grant"),
    ],
)
async def test_addresses_that_cannot_work_are_not_taken(world, own, config, path):
    """Otherwise: an administrator learns from the first person that nobody can connect."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    own_way = {"client_id": "public", "grant": "authorization_code"}
    answer = await alice.api.patch(
        f"{home}connections/{connection.id}/", json={"auth_config": own_way | config}
    )
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["errors"]] == [path]


async def test_what_changes_meanwhile_gets_no_code(world, own, server):
    """Otherwise: whoever changes a connection gets the accounts that are just being connected."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    begun = await alice.api.post(f"{home}connections/{connection.id}/authorize/")
    config = {"client_id": "public", "grant": "authorization_code"}
    path = f"{home}connections/{connection.id}/"
    assert (await alice.api.patch(path, json={"auth_config": config})).status_code == 200
    before = len(await told(server, "/log"))
    page = await alice.returns(begun.json()["authorize_url"], "alice-there")
    assert page.status_code == 400
    assert len(await told(server, "/log")) == before


async def test_an_answer_at_another_connections_address_lends_nothing(world, own, server):
    """Otherwise: a server that does not say who it is can be taken for another one."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    begun = await alice.api.post(f"{home}connections/{connection.id}/authorize/")
    url = begun.json()["authorize_url"]
    other = url.replace(str(connection.id), str(world.connection.id))
    assert other != url
    before = len(await told(server, "/log"))
    assert (await alice.returns(other, "alice-there")).status_code == 400
    assert len(await told(server, "/log")) == before
