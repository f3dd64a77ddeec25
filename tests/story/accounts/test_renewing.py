"""What is over is renewed, once, where it is from; what was taken back is not."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog import renewing
from agentxsuite.control.catalog.lent import Loan, keep, kept
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.catalog.renewing import renewed
from agentxsuite.engines.upstream import (
    AccessRefused,
    Client,
    Egress,
    Lent,
    UpstreamError,
    UpstreamTimeout,
)
from tests.servers.mcp_http import told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


async def test_a_token_that_is_over_is_renewed_for_its_person(world, own, server):
    """Otherwise: people have to connect their account again every hour."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await told(server, "/settings?lasts=1")
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    await told(server, "/settings")
    await told(server, "/forget")
    assert await alice.whoami(world) == "alice-there"
    await told(server, "/forget")
    assert await alice.whoami(world) == "alice-there"
    grants = [grant["grant_type"] for grant in await told(server, "/log")]
    assert grants.count("refresh_token") >= 2


async def test_an_account_that_was_withdrawn_is_asked_for_again(world, own, server):
    """Otherwise: a person waits for a server that has long said no."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    await told(server, "/forget?refresh=all")
    assert await alice.whoami(world) == "access_refused"
    assert await alice.whoami(world) == "account_needed"
    lost = await sync_to_async(AuditEvent.objects.get)(event_type="account_lost")
    assert lost.event_data == {"user": str(world.company.owner.id)}


async def test_many_calls_at_once_renew_once(world, own, server):
    """Otherwise: a refresh token that is good once is used twice, and the account is lost."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    await told(server, "/forget")
    names = await asyncio.gather(*(alice.whoami(world) for _ in range(6)))
    assert names == ["alice-there"] * 6


async def test_what_another_issuer_asks_for_it_does_not_get(world, own, server):
    """Otherwise: a server that is taken over sends refresh tokens to whom it likes."""
    connection, home, somebody = own
    alice = await somebody(world.company.owner)
    await alice.lends(home, connection.id, "alice-there")
    await alice.syncs(connection)
    await told(server, "/settings?issuer=other")
    await told(server, "/forget")
    before = len(await told(server, "/log"))
    assert await alice.whoami(world) == "access_refused"
    assert await alice.whoami(world) == "account_needed"
    assert len(await told(server, "/log")) == before


@sync_to_async
def keep_for(seconds, **lease):
    """Let the row say that its token is good for so long; returns what it lends."""
    row = Account.objects.select_related("data_key").get()
    lent, issuer = kept(row)
    keep(row, Loan(Lent(lent.access, time.time() + seconds, lent.refresh), issuer))
    row.renewing_until = lease.get("until")
    row.save()
    return lent


async def client_of_row(server):
    row = await Account.objects.aget()
    own = {"id": "public", "secret": "", "resource": server}
    return Client(**own, account=f"{row.organization_id}/{row.id}")


async def test_what_another_worker_renews_is_waited_for(world, own, server):
    """Otherwise: two workers use one refresh token, and the account is lost."""
    connection, home, somebody = own
    await (await somebody(world.company.owner)).lends(home, connection.id, "alice-there")
    before = len(await told(server, "/log"))
    lent = await keep_for(-1, until=timezone.now() + timedelta(seconds=20))
    client = await client_of_row(server)
    waiting = asyncio.create_task(renewed(Egress(["127.0.0.1"]), client, ""))
    assert not (await asyncio.wait([waiting], timeout=0.3))[0]
    await keep_for(60)
    assert (await waiting).access == lent.access
    assert len(await told(server, "/log")) == before


async def test_many_workers_at_once_renew_once(world, own, server):
    """Otherwise: two workers use one refresh token, and the account is lost."""
    connection, home, somebody = own
    await (await somebody(world.company.owner)).lends(home, connection.id, "alice-there")
    before = len(await told(server, "/log"))
    await keep_for(-1)
    client, egress = await client_of_row(server), Egress(["127.0.0.1"])
    lent = await asyncio.gather(*(renewed(egress, client, "") for _ in range(5)))
    assert len({one.access for one in lent}) == 1
    assert len(await told(server, "/log")) == before + 1


async def test_a_renewal_that_fails_may_be_tried_again(world, own, server, monkeypatch):
    """Otherwise: a server that is down for a moment costs everybody their account."""
    connection, home, somebody = own
    await (await somebody(world.company.owner)).lends(home, connection.id, "alice-there")
    await keep_for(-1)
    client, egress = await client_of_row(server), Egress(["127.0.0.1"])
    with pytest.raises(UpstreamError):
        await renewed(egress, replace(client, resource="http://127.0.0.1:1/mcp"), "")
    with pytest.raises(AccessRefused, match="invalid_client"):
        await renewed(egress, replace(client, secret="guess"), "")
    with monkeypatch.context() as hurried:
        hurried.setattr(renewing, "PATIENCE", 0.0)
        with pytest.raises(UpstreamTimeout):
            await renewed(egress, client, "")
    assert (await renewed(egress, client, "")).until > time.time()


async def test_an_account_that_is_gone_lends_nothing(world, own, server):
    """Otherwise: what a person took back is used on."""
    connection, home, somebody = own
    await (await somebody(world.company.owner)).lends(home, connection.id, "alice-there")
    client, egress = await client_of_row(server), Egress(["127.0.0.1"])
    row = await sync_to_async(Account.objects.select_related("data_key").get)()
    await sync_to_async(keep)(row, Loan(Lent("over", 0.0), ""))
    await row.asave()
    for _ in range(2):  # without anything to renew it by, and then without any account
        with pytest.raises(AccessRefused, match="over"):
            await renewed(egress, client, "")
    assert not await Account.objects.aexists()
