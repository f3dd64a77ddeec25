"""The keys of one outside issuer as it publishes them now: fetched, kept for a while, dropped.

    age of the keys   what a token finds
    up to RENEW       the keys at hand
    up to FRESH       the keys at hand, while new ones are fetched beside it
    up to BOUND       new keys; the ones at hand where the issuer does not answer
    beyond            nothing: no keys, no service

A name that is not among the keys may be a new one, so it fetches as well; but no fetch begins
within PAUSE of the last one, whatever names strangers make up.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from agentxsuite import wire
from agentxsuite.engines.tokens.issuers import Issuer, is_address
from agentxsuite.engines.tokens.jwks import Keys, KeysInvalid, OutsideKey, read_keys

RENEW: Final = 150.0  # seconds
FRESH: Final = 300.0
BOUND: Final = 3600.0
PAUSE: Final = 10.0

Fetch = Callable[[str], Awaitable[bytes]]  # raises FetchFailed

log = logging.getLogger(__name__)


class FetchFailed(Exception):
    """A document that could not be had; the text says why."""


class KeysAway(Exception):
    """The issuer's keys cannot be had, so nothing that it signed can be judged."""


class KeySet:
    """One issuer's keys, read through `fetch`; `clock` counts seconds."""

    def __init__(
        self, issuer: Issuer, fetch: Fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._keys: Keys = {}
        self._read_at = self._asked_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> OutsideKey | None:
        """The key of that name, if the issuer has one; raises KeysAway."""
        age = self._clock() - self._read_at
        if age > FRESH:
            await self._renew()
        elif age > RENEW:
            self._begin()
        if kid not in self._keys:
            await self._renew()
        if self._clock() - self._read_at > BOUND:
            raise KeysAway
        return self._keys.get(kid)

    def current(self, kid: str, key: OutsideKey) -> bool:
        """Whether this key is one of those at hand, and they are fresh."""
        return self._keys.get(kid) == key and self._clock() - self._read_at <= RENEW

    async def aclose(self) -> None:
        """Give up what is under way."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _renew(self) -> None:
        """Wait for new keys, where they may be asked for now."""
        reading = self._begin()
        if reading is not None:
            await asyncio.wait([reading])

    def _begin(self) -> asyncio.Task[None] | None:
        """Begin to read, or join in; one reading serves all who wait for it."""
        if self._reading is None and self._clock() - self._asked_at >= PAUSE:
            self._asked_at = self._clock()
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        begun = self._clock()
        try:
            self._keys = read_keys(await self._fetch(await self._address()))
            self._read_at = begun
        except (FetchFailed, KeysInvalid) as error:
            log.warning("the keys of issuer %s cannot be had: %s", self._issuer.name, error)
        finally:
            self._reading = None

    async def _address(self) -> str:
        """Where the keys are, as configured or as the issuer's own description says."""
        if self._issuer.jwks_uri:
            return self._issuer.jwks_uri
        try:
            told = wire.loads(await self._fetch(self._issuer.discovery))
            issuer, address = told["issuer"], told["jwks_uri"]
        except (wire.WireError, KeyError, TypeError):
            raise KeysInvalid("The issuer's description names no keys.") from None
        if issuer != self._issuer.issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise KeysInvalid("The description is another issuer's.")
        if not isinstance(address, str) or not is_address(address):
            raise KeysInvalid("The address of the keys is no http(s) address.")
        return address
