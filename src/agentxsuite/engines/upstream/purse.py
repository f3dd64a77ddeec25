"""The access tokens that this process has been lent, each asked for once while it is good."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.grant import Client
from agentxsuite.engines.upstream.tokens import Lent, ask_token

MOST: Final = 10_000  # tokens that are kept; the one asked for first goes first
OWN: Final = {"grant_type": "client_credentials"}  # RFC 6749 section 4.4


# What a person has lent, by the client's account: it takes the token that was not taken, if any,
# and answers with one that is good by the clock of ``time.time``.
Renew = Callable[[Egress, Client, str], Awaitable[Lent]]


class Purse:
    """Tokens by the client that they were lent to; whoever waits for one waits together."""

    def __init__(
        self,
        egress: Egress,
        clock: Callable[[], float] = time.time,
        renew: Renew | None = None,
    ) -> None:
        self._egress, self._clock, self._renew = egress, clock, renew
        self._spoilt: dict[Client, str] = {}
        self._lent: dict[Client, Lent] = {}
        self._asking: dict[Client, asyncio.Task[Lent]] = {}

    async def token(self, client: Client) -> str:
        """A token that is good for a while; raises UpstreamError."""
        lent = self._lent.get(client)
        if lent is not None and self._clock() < lent.until:
            return lent.access
        asking = self._asking.get(client)
        if asking is None:
            asking = self._asking[client] = asyncio.create_task(self._ask(client))
        return (await asyncio.shield(asking)).access

    def spoil(self, client: Client, token: str) -> None:
        """Forget a token that a server did not take."""
        lent = self._lent.get(client)
        if lent is not None and lent.access == token:
            del self._lent[client]
            if client.account:
                self._spoilt[client] = token

    async def _ask(self, client: Client) -> Lent:
        try:
            lent = await self._new(client)
        finally:
            del self._asking[client]
        self._lent.pop(client, None)
        self._lent[client] = lent
        if len(self._lent) > MOST:
            del self._lent[next(iter(self._lent))]
        return lent

    async def _new(self, client: Client) -> Lent:
        if client.account and self._renew is not None:
            return await self._renew(self._egress, client, self._spoilt.pop(client, ""))
        return await ask_token(self._egress, client, OWN, self._clock)
