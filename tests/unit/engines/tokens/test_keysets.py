"""An issuer's keys are as fresh as promised, and no stranger decides when they are fetched."""

import asyncio
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs

from agentxsuite.engines.tokens import FetchFailed, Issuer, KeysAway, OutsideVerifier
from agentxsuite.engines.tokens.keysets import BOUND, FRESH, PAUSE, RENEW, KeySet

ISSUER = Issuer("test", "https://id.example", frozenset({"ES256"}), "https://id.example/keys")


def jwk(kid):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return {**json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(key)), "kid": kid}


class Site:
    """An issuer's site, and the time."""

    def __init__(self):
        self.keys, self.asked, self.now = [jwk("a")], 0, 1000.0
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()
        self.down = False

    async def fetch(self, url):
        assert url == ISSUER.jwks_uri
        self.asked += 1
        self.reached.set()
        await self.open.wait()
        if self.down:
            raise FetchFailed("down")
        return json.dumps({"keys": self.keys}).encode()


@pytest.fixture
async def site():
    return Site()


@pytest.fixture
async def keys(site):
    known = KeySet(ISSUER, site.fetch, lambda: site.now)
    yield known
    await known.aclose()


async def test_many_who_wait_are_served_by_one_fetch(site, keys):
    """Otherwise: a restart of this server is an attack on the issuer."""
    found = await asyncio.gather(*(keys.key("a") for _ in range(50)))
    assert len(set(found)) == 1
    assert None not in found
    assert site.asked == 1
    assert keys.current("a", found[0])


async def test_keys_are_renewed_beside_the_calls(site, keys):
    """Otherwise: every few minutes a call waits for the issuer."""
    await keys.key("a")
    site.now += RENEW + 1
    site.open.clear()
    assert await keys.key("a") is not None
    assert keys._reading is not None
    site.open.set()
    await keys._reading
    assert site.asked == 2
    assert await keys.key("a") is not None
    assert site.asked == 2


async def test_a_key_that_is_withdrawn_is_gone_in_time(site, keys):
    """Otherwise: a stolen key signs for ever."""
    stolen = await keys.key("a")
    site.keys = [jwk("b")]
    assert await keys.key("b") is None
    site.now += PAUSE
    assert await keys.key("b") is not None
    assert not keys.current("a", stolen)
    assert await keys.key("a") is None
    assert site.asked == 2


async def test_a_key_that_was_exchanged_under_its_name_is_another(site, keys):
    """Otherwise: what the old key signed goes on under the new one's name."""
    old = await keys.key("a")
    site.keys = [jwk("a")]
    site.now += FRESH + 1
    assert await keys.key("a") != old
    assert not keys.current("a", old)


async def test_an_outage_is_bridged_for_a_while_only(site, keys):
    """Otherwise: an issuer's outage stops all agents at once, or its keys never end."""
    known = await keys.key("a")
    site.down = True
    site.now += FRESH + 1
    assert await keys.key("a") == known
    assert site.asked == 2
    assert await keys.key("a") == known
    assert site.asked == 2
    site.now += BOUND
    with pytest.raises(KeysAway):
        await keys.key("a")


async def test_who_was_never_reached_vouches_for_nobody(site, keys):
    """Otherwise: a start during an outage lets everybody in, or asks without a pause."""
    site.down = True
    for _ in range(5):
        with pytest.raises(KeysAway):
            await keys.key("a")
    assert site.asked == 1


async def test_a_description_that_tells_nothing_leads_nowhere():
    """Otherwise: a broken issuer crashes the door."""

    async def fetch(_url):
        return b"[]"

    with pytest.raises(KeysAway):
        await KeySet(structs.replace(ISSUER, jwks_uri=""), fetch).key("a")


async def test_an_end_gives_up_what_is_under_way(site):
    """Otherwise: a stopping server waits for an issuer that does not answer."""
    verifier = OutsideVerifier({ISSUER.issuer: ISSUER}, site.fetch)
    site.open.clear()
    waiting = asyncio.create_task(verifier._keys[ISSUER.issuer].key("a"))
    await site.reached.wait()
    await verifier.aclose()
    with pytest.raises(KeysAway):
        await waiting
