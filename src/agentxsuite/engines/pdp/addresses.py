"""The ``cidr`` operator: whether an address is in one of some networks."""

from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from agentxsuite.engines.pdp import kinds
from agentxsuite.engines.pdp.kinds import expect, expect_list, kind_of
from agentxsuite.engines.pdp.kleene import ERROR, Truth, known
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON


def within(operand: JSON) -> Callable[[JSON], Truth]:
    """A test against a network or a list of networks; raises Refused."""
    kind = expect(operand, kinds.STRING, kinds.ARRAY)
    networks = [
        _network(text) for text in ([operand] if kind == kinds.STRING else expect_list(operand))
    ]

    def test(value: JSON) -> Truth:
        address = _address(value)
        if address is None:
            return ERROR
        return known(any(address in network for network in networks))

    return test


def _network(text: JSON) -> IPv4Network | IPv6Network:
    expect(text, kinds.STRING)
    try:
        return ip_network(text)
    except ValueError as error:
        raise Refused("bad_network", f"not a network in CIDR notation: {error}") from None


def _address(value: JSON) -> IPv4Address | IPv6Address | None:
    if kind_of(value) != kinds.STRING:
        return None
    try:
        address = ip_address(value)
    except ValueError:
        return None
    # A dual-stack listener reports IPv4 callers as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
