"""Asking anew for what a person lent, when its time is over: one worker asks, all others wait.

A refresh token is often good once. Who asks has a lease in the row, and no transaction is open
meanwhile; whoever comes in between waits for what the row says then.
"""

import asyncio
import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.lent import Loan, keep, kept
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.secretstore.services import SecretsUnavailable
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import (
    AccessRefused,
    AccountOver,
    Client,
    Egress,
    Lent,
    UpstreamTimeout,
    ask_token,
    server_of,
)

LEASE: Final = timedelta(seconds=20)
PATIENCE: Final = 15.0  # seconds for asking, so that it is over before the lease is
LOOK: Final = 0.1  # seconds between two looks at a row that another worker renews
PLATFORM: Final = Actor("client:platform")


async def renewed(egress: Egress, client: Client, spoilt: str) -> Lent:
    """Return access that is good, and is not the token `spoilt`; raises UpstreamError."""
    try:
        while True:
            loan, mine = await in_thread(_look, *_ids(client), spoilt)
            if loan is None:
                raise _over("disconnected")
            if mine:
                return await _asked(egress, client, loan)
            if _is_good(loan.lent, spoilt):
                return loan.lent
            await asyncio.sleep(LOOK)
    except SecretsUnavailable:
        raise AccessRefused("The account cannot be read at the moment.", "unreadable") from None


async def _asked(egress: Egress, client: Client, loan: Loan) -> Lent:
    """Use the lease; however that ends, nobody has to wait until it is over."""
    try:
        async with asyncio.timeout(PATIENCE):
            lent = await _exchanged(egress, client, loan)
    except AccountOver:
        await in_thread(_forget, *_ids(client))
        raise
    except TimeoutError:
        await in_thread(_release, *_ids(client))
        told = "The authorization server did not answer in time."
        raise UpstreamTimeout(told) from None
    except BaseException:  # the process ends, too: another one may try at once
        await asyncio.shield(in_thread(_release, *_ids(client)))
        raise
    await in_thread(_store, *_ids(client), Loan(lent, loan.issuer))
    return lent


async def _exchanged(egress: Egress, client: Client, loan: Loan) -> Lent:
    """Show the refresh token to whom it is from, and to nobody else."""
    server = await server_of(egress, client)
    if server.issuer != loan.issuer:
        raise _over("another_issuer")
    form = {"grant_type": "refresh_token", "refresh_token": loan.lent.refresh}
    try:
        lent = await ask_token(egress, client, form, server=server)
    except AccessRefused as refused:
        if refused.error == "invalid_grant":  # withdrawn at the other side, or used up
            raise _over(refused.error) from None
        raise
    return Lent(lent.access, lent.until, lent.refresh or loan.lent.refresh)


def _ids(client: Client) -> tuple[UUID, UUID]:
    organization, account = map(UUID, client.account.split("/"))
    return organization, account


def _is_good(lent: Lent, spoilt: str) -> bool:
    return lent.until > time.time() and lent.access != spoilt


def _over(why: str) -> AccountOver:
    return AccountOver("Access to the account is over: its owner has to connect it again.", why)


def _look(organization: UUID, account: UUID, spoilt: str) -> tuple[Loan | None, bool]:
    """Return what the row keeps, if it can still be used, and whether it is ours to renew."""
    with changing(organization):
        row = _held(account)
        if row is None:
            return None, False
        loan = kept(row)
        if _is_good(loan.lent, spoilt):
            return loan, False
        if not loan.lent.refresh:
            _end(row)
            return None, False
        now = timezone.now()
        if row.renewing_until is not None and row.renewing_until > now:
            return loan, False
        row.renewing_until = now + LEASE
        row.save(update_fields=["renewing_until"])
        return loan, True


def _held(account: UUID) -> Account | None:
    """Return a row that nobody changes until the transaction ends: no token is read twice."""
    rows = Account.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("data_key", "connection").filter(id=account).first()


def _store(organization: UUID, account: UUID, loan: Loan) -> None:
    with changing(organization):
        row = _held(account)
        if row is not None:  # else disconnected meanwhile
            keep(row, loan)
            row.renewing_until = None
            row.save(update_fields=["data_key", "sealed", "renewing_until", "updated_at"])


def _release(organization: UUID, account: UUID) -> None:
    with changing(organization):
        Account.objects.filter(id=account).update(renewing_until=None)


def _forget(organization: UUID, account: UUID) -> None:
    with changing(organization):
        row = _held(account)
        if row is not None:
            _end(row)


def _end(row: Account) -> None:
    """Let go of an account whose server lends nothing any more."""
    record(
        "account_lost",
        actor=PLATFORM,
        organization=row.organization_id,
        environment=row.environment_id,
        action="account.lose",
        target=f"connection:{row.connection.slug}",
        data={"user": str(row.user_id)},
    )
    row.delete()
