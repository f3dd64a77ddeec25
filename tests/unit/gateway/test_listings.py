"""Lists of tools that were made a moment ago."""

from datetime import timedelta

import pytest
from msgspec import structs

from agentxsuite.gateway import listings
from agentxsuite.gateway.listings import FRESH, Listings
from tests.unit.gateway.building import NOON, call, policy_set, principal, rule, tool

WHO = principal(policy_set(rule("allow")))


def test_a_list_is_good_for_a_moment():
    """Otherwise: every page of a long list would be judged anew, or never again."""
    held, tools = Listings(), [tool()]
    assert held.find(WHO, call()) is None
    assert held.keep(WHO, call(), tools) is tools
    assert held.find(WHO, call(received=NOON + FRESH - timedelta(seconds=1))) is tools
    assert held.find(WHO, call(received=NOON + FRESH)) is None


@pytest.mark.parametrize(
    ("who", "asked"),
    [
        (principal(policy_set(rule("allow"))), {}),  # another snapshot
        (structs.replace(WHO, scopes=frozenset({"tool.invoke"})), {}),
        (structs.replace(WHO, auth_method="login"), {}),
        (WHO, {"passthrough": "pay"}),
        (WHO, {"address": "192.0.2.8"}),
        (WHO, {"client": "other"}),
    ],
)
def test_whoever_may_be_shown_another_list_is_not_shown_this_one(who, asked):
    """Otherwise: callers would see each other's tools, or what they may use no more."""
    held = Listings()
    held.keep(WHO, call(), [tool()])
    assert held.find(who, call(**asked)) is None


def test_the_list_made_first_goes_first(monkeypatch):
    """Otherwise: addresses that nobody comes from again would fill the memory."""
    monkeypatch.setattr(listings, "HELD", 2)
    held = Listings()
    for number in range(3):
        held.keep(WHO, call(address=str(number)), [])
    assert [held.find(WHO, call(address=str(number))) for number in range(3)] == [None, [], []]
