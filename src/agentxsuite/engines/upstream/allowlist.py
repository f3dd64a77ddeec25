"""What the operator's EGRESS_ALLOW opens beyond https to the public internet. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Self

from agentxsuite.engines.upstream.addresses import Address, Network, is_never_allowed, parse

_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks and names, each with the one port it opens or None for all of them."""

    networks: tuple[tuple[Network, int | None], ...] = ()
    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def read(cls, entries: Iterable[str]) -> Self:
        """Read ``CIDR``, ``ip``, ``ip:port``, ``[ipv6]:port``, ``host`` and ``host:port`` entries.

        Raises ValueError naming the entry that is none of these.
        """
        networks: list[tuple[Network, int | None]] = []
        hosts: set[tuple[str, int | None]] = set()
        for entry in filter(None, map(str.strip, entries)):
            if network := _network(entry):
                networks.append((network, None))
                continue
            host, port = _host_and_port(entry)
            if single := _network(host):
                networks.append((single, port))
            else:
                hosts.add((host.lower(), port))
        return cls(tuple(networks), frozenset(hosts))

    def opens(self, host: str, port: int, address: Address) -> bool:
        """Whether the operator opened this address, itself or by the name it was found under."""
        if is_never_allowed(address):
            return False
        if self.names(host, port):
            return True
        return any(
            only in (None, port) and address.version == network.version and address in network
            for network, only in self.networks
        )

    def names(self, host: str, port: int) -> bool:
        """Whether the operator opened this very name."""
        return (host, None) in self.hosts or (host, port) in self.hosts


def _network(text: str) -> Network | None:
    try:
        return ip_network(text) if "/" in text else ip_network(parse(text))
    except ValueError:
        return None


def _host_and_port(entry: str) -> tuple[str, int | None]:
    match = _HOST_PORT.fullmatch(entry)
    if not match or "/" in entry:
        raise ValueError(f"EGRESS_ALLOW: {entry!r} is no CIDR, address, host or host:port")
    return match["host"].strip("[]"), int(match["port"]) if match["port"] else None
