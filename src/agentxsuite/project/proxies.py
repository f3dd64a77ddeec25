"""What a proxy that the operator trusts says about a caller, and nobody else may say.

A trusted proxy is known by the address of its socket. From it come the caller's own address
(X-Forwarded-For) and, in the header that MTLS_HEADER names, the client certificate it has seen.
"""

import logging
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from agentxsuite.gateway.http import Scope
from agentxsuite.gateway.refusals import Malformed

FORWARDED: Final = b"x-forwarded-for"
REMEMBERED: Final = 4096  # addresses that need not be looked up again

Network = IPv4Network | IPv6Network

log = logging.getLogger(__name__)


class HeaderRefused(Malformed):
    """The certificate header came from somebody who is no trusted proxy, or more than once."""

    def __init__(self, name: str) -> None:
        super().__init__("proxy_header_refused", f"The header {name} is set by proxies alone.")


class Proxies:
    """The trusted ones; `header` is where they tell certificates, or empty."""

    def __init__(self, trusted: Iterable[Network], header: str) -> None:
        self._trusted = tuple(trusted)
        self._header = header.lower().encode()
        self._trusts = lru_cache(REMEMBERED)(self._look_up)

    def seen(self, scope: Scope) -> Scope:
        """Return an HTTP scope with what is true of its caller; raises HeaderRefused."""
        if not self._trusted:
            return scope
        peer = scope["client"][0] if scope.get("client") else ""
        told = self._told(scope)
        if not self._trusts(peer):
            if told:
                raise self._refused(peer)
            return scope
        if len(told) > 1:
            raise self._refused(peer)
        return {
            **scope,
            "client": (self._caller(scope, peer), 0),
            "headers": [line for line in scope["headers"] if line[0] != self._header],
            "extensions": {**(scope.get("extensions") or {}), "tls": {"client_cert_chain": told}},
        }

    def _told(self, scope: Scope) -> list[str]:
        """The certificates in the header, as they are written there."""
        if not self._header:
            return []
        lines = [value.strip() for name, value in scope["headers"] if name == self._header]
        return [value.decode("latin-1") for value in lines if value]

    def _caller(self, scope: Scope, peer: str) -> str:
        """The nearest address that is no trusted proxy's; what stands beyond it proves nothing."""
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED]
        address = peer
        for hop in reversed(hops(lines)):
            if not self._trusts(address) or not is_address(hop):
                break
            address = hop
        return address

    def _look_up(self, text: str) -> bool:
        if not is_address(text):
            return False
        address = ip_address(text)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted)

    def _refused(self, peer: str) -> HeaderRefused:
        name = self._header.decode()
        log.warning("the header %s came from %s, who may not set it so", name, peer or "nowhere")
        return HeaderRefused(name)


def hops(lines: Sequence[str]) -> list[str]:
    """Every address that a header tells, in order; it may come in several lines."""
    return [hop.strip() for hop in ",".join(lines).split(",")]


def is_address(text: str) -> bool:
    """Whether it is an IP address, without a port."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
