"""Tries are counted by all workers together, and for whoever really sends them."""

import secrets

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.problems import Throttled
from agentxsuite.control.tenancy import tries
from agentxsuite.control.tenancy.tries import ACCOUNT, ADDRESS, counted_together, network

ALL = ACCOUNT.burst


@pytest.fixture
def account():
    return f"{secrets.token_hex(8)}@acme.example"


async def tried(address, account, times=1):
    """Tries as a view makes them: in a thread, which the loop waits for."""
    for _ in range(times):
        await sync_to_async(tries.take_a_try)(address, account)


async def test_workers_count_together_in_redis(settings, redis_server, account):
    """Otherwise: each worker grants the whole number of guesses, and so does each restart."""
    settings.REDIS_URL = redis_server.url
    async with counted_together():
        await tried("198.51.100.81", account, ALL)
    async with counted_together():  # as another process would, which shares no memory with it
        with pytest.raises(Throttled):
            await tried("198.51.100.81", account)
        await tried("198.51.100.82", account)
    await tried("198.51.100.81", account)  # without Redis this process counts, from nothing


async def test_one_process_counts_without_redis(settings, account):
    """Otherwise: the embedded default lets everybody guess."""
    settings.REDIS_URL = ""
    async with counted_together():
        await tried("198.51.100.83", account, ALL)
        with pytest.raises(Throttled) as refused:
            await tried("198.51.100.83", account)
    assert refused.value.headers()["Retry-After"]


async def test_a_redis_that_is_away_stops_nobody_and_still_counts(settings, account):
    """Otherwise: without Redis nobody logs in, or anybody guesses."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    async with counted_together():
        await tried("198.51.100.84", account, ALL)
        with pytest.raises(Throttled):
            await tried("198.51.100.84", account)


async def test_an_address_has_so_many_tries_for_all_accounts(settings):
    """Otherwise: one machine tries one password with every account."""
    settings.REDIS_URL = ""
    accounts = [f"{secrets.token_hex(8)}@acme.example" for _ in range(ADDRESS.burst)]
    for each in accounts:
        await tried("198.51.100.85", each)
    with pytest.raises(Throttled):
        await tried("198.51.100.85", "another@acme.example")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_whoever_owns_a_network_is_one_caller(address, counted):
    """Otherwise: who has an IPv6 network guesses from another address each time."""
    assert network(address) == counted
