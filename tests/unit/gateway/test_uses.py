"""What a prompt cannot do without."""

import pytest

from agentxsuite.gateway.facts import Offer
from agentxsuite.gateway.refusals import Invalid
from agentxsuite.gateway.uses import check_arguments
from tests.unit.gateway.building import call, connection

ODD = [7, {}, {"name": 7, "required": True}, {"name": "b"}, {"name": "c", "required": "yes"}]


def prompt(arguments):
    return Offer("prompt.get", connection(), "p", "p", "prompt:pay/p", {"arguments": arguments})


@pytest.mark.parametrize("declared", [None, 7, {}, [], ODD])
def test_what_a_server_declares_oddly_demands_nothing(declared):
    """Otherwise: a server's mistake would keep its prompts from everybody."""
    check_arguments(prompt(declared), call(arguments={}))


def test_every_missing_argument_is_told_at_once():
    """Otherwise: an agent would have to ask once for each."""
    declared = [{"name": name, "required": True} for name in "abc"]
    with pytest.raises(Invalid) as refused:
        check_arguments(prompt(declared), call(arguments={"b": ""}))
    assert [each["path"] for each in refused.value.errors] == ["/a", "/c"]
