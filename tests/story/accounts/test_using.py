"""People lend their own accounts: what they run as an agent is done with theirs alone."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.lent import kept
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.secretstore.services import SecretsUnavailable, store
from agentxsuite.control.tenancy.models import OrganizationMembership
from agentxsuite.gateway import vigil
from tests.servers.mcp_http import told
from tests.story.offering import permit

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


async def test_each_person_calls_with_their_own_account(world, own, server):
    """Otherwise: everybody acts as one account, and the other server cannot tell who did what."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    bob = await somebody(world.company.people["bob"])
    page = await alice.lends(home, connection.id, "alice-there")
    assert page.status_code == 200, page.text
    await alice.syncs(connection)
    assert (await bob.lends(home, connection.id, "bob-there")).status_code == 200
    assert await alice.whoami(world) == "alice-there"
    assert await bob.whoami(world) == "bob-there"
    assert await alice.whoami(world) == "alice-there"

    shown = await bob.api.get(f"{home}connections/{connection.id}/account/")
    assert shown.json()["connection"] == str(connection.id)
    assert (await bob.api.delete(f"{home}connections/{connection.id}/account/")).status_code == 204
    assert await bob.whoami(world) == "account_needed"
    assert await alice.whoami(world) == "alice-there"
    record = await sync_to_async(lambda: list(AuditEvent.objects.values_list("event_type")))()
    assert record.count(("account_connected",)) == 2
    assert record.count(("account_disconnected",)) == 1


async def test_without_an_account_the_refusal_says_where_to_go(world, own, client, settings):
    """Otherwise: an agent tries for ever what a person has to allow first."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    body = {"tool": "guarded/whoami", "input": {}}
    alone = await client.post(world.execute, json=body, headers=world.bearer)
    assert (alone.status_code, alone.json()["code"]) == (403, "account_needed")
    address = f"{settings.PUBLIC_URL}/account/connect/?connection={connection.id}"
    assert address in alone.json()["detail"]
    page = await alice.browser.get(f"/account/connect/?connection={connection.id}")
    assert page.status_code == 200
    assert "/as/authorize?" in page.text


async def test_what_leads_elsewhere_forgets_what_was_lent(world, own):
    """Otherwise: whoever changes the address gets everybody's accounts."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    path = f"{home}connections/{connection.id}/"
    config = {"client_id": "public", "grant": "authorization_code"}
    changed = await alice.api.patch(path, json={"auth_config": config})
    assert changed.status_code == 200, changed.text
    assert not await Account.objects.aexists()
    assert (await alice.api.get(f"{path}account/")).status_code == 404


async def test_what_is_lent_is_sealed_for_its_person(world, own):
    """Otherwise: whoever copies a row of the database calls with another's account."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    bob = world.company.people["bob"]
    await Account.objects.aupdate(user=bob)
    assert await (await somebody(bob)).whoami(world) == "tool_unknown"
    with pytest.raises(SecretsUnavailable):
        await sync_to_async(lambda: kept(Account.objects.get()))()
    answer = await (await somebody(bob)).api.post(f"/api/v1/connections/{connection.id}/test/")
    assert answer.json()["code"] == "access_refused"


async def test_who_leaves_takes_their_account_along(world, own):
    """Otherwise: what somebody lent stays with a company that they have left."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    bob = world.company.people["bob"]
    await (await somebody(bob)).lends(home, connection.id, "bob-there")
    gone = await alice.api.delete(f"{home}members/{bob.id}/")
    assert gone.status_code == 204
    assert not await Account.objects.aexists()


async def test_who_may_use_it_no_more_can_still_take_it_back(world, own):
    """Otherwise: what somebody lent cannot be taken back once their role is lower."""
    connection, home, somebody = own
    bob = await somebody(world.company.people["bob"])
    await bob.lends(home, connection.id, "bob-there")
    await OrganizationMembership.objects.filter(user=world.company.people["bob"]).aupdate(
        role="viewer"
    )
    path = f"{home}connections/{connection.id}/"
    assert (await bob.api.post(f"{path}authorize/")).status_code == 403
    assert (await bob.api.delete(f"{path}account/")).status_code == 204


async def test_the_server_sees_what_was_lent_and_nothing_else(world, own, server):
    """Otherwise: a server that people use gets their logins here."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    assert await alice.whoami(world) == "alice-there"
    seen = str(await told(server, "/shown")) + str(await told(server, "/log"))
    token = alice.api.headers["authorization"].removeprefix("Bearer ")
    assert token not in seen
    assert "cookie" not in seen


async def test_a_changed_tool_is_not_called_with_anybodys_account(world, own, server, monkeypatch):
    """Otherwise: a server changes what a tool does, and people's accounts are used for it."""
    monkeypatch.setattr(vigil, "AGAIN_SECONDS", 0.0)
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await told(server, "/describe?as=Harmless")
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    assert await alice.whoami(world) == "alice-there"
    await told(server, "/describe?as=Poisoned")
    assert await alice.whoami(world) == "tool_quarantined"
    await told(server, "/describe?as=Harmless")
    assert await alice.whoami(world) == "alice-there"


async def test_what_a_server_offers_a_person_is_listed_for_them(world, own):
    """Otherwise: prompts of such a server are shown to nobody, or to everybody the same."""
    connection, home, somebody = own
    await permit(world, "prompt.get", "prompt:guarded/*")
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    path = f"{home}mcp/{world.company.prod.id}/prompts/"
    listed = await alice.api.get(path, params={"agent": str(world.agent.id)})
    assert (listed.status_code, listed.json()["results"]) == (200, [])
    one = await alice.api.get(f"{path}guarded%2Fnone/", params={"agent": str(world.agent.id)})
    assert one.status_code in {404, 502}


async def test_an_application_with_a_secret_shows_it(world, own, server):
    """Otherwise: people can use only servers that lend to whoever knows our name."""
    connection, home, somebody = own
    alice, acme = await somebody(world.company.owner), world.company
    secret = await sync_to_async(store)(
        acme.actor, acme.organization, acme.prod, "people's secret", "application"
    )
    config = {"client_id": "people", "grant": "authorization_code"}
    login = {"auth_config": config, "secret_ref": secret.ref}
    changed = await alice.api.patch(f"{home}connections/{connection.id}/", json=login)
    assert changed.status_code == 200, changed.text
    assert (await alice.lends(home, connection.id, "alice-there")).status_code == 200
    await alice.syncs(connection)
    await told(server, "/forget")  # renewing shows it, too
    assert await alice.whoami(world) == "alice-there"
    assert {one["client"] for one in (await told(server, "/log"))[-2:]} == {"people"}

    await secret.versions.all().adelete()
    body = {"tool": "guarded/whoami", "input": {}, "agent": str(world.agent.id)}
    refused = await alice.api.post(world.execute, json=body)
    assert (refused.status_code, refused.json()["code"]) == (503, "secret_unavailable")
    begun = await alice.api.post(f"{home}connections/{connection.id}/authorize/")
    assert (begun.status_code, begun.json()["code"]) == (503, "secrets_unavailable")
