"""The one outbound door: nothing in this program connects anywhere else.

A name is resolved once, every address it has is checked, and the socket goes to a checked
address, so that no second look-up can change its mind in between (DNS rebinding). There are no
redirects and no proxies; TLS is verified for the name, whatever address was chosen.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import TypeVar

from agentxsuite.engines.upstream.addresses import Address, is_never_allowed, is_public, parse
from agentxsuite.engines.upstream.allowlist import AllowList
from agentxsuite.engines.upstream.endpoint import Web
from agentxsuite.engines.upstream.errors import EgressDenied, UpstreamUnavailable

Resolver = Callable[[str, int], Awaitable[list[str]]]

CONNECT_SECONDS = 5.0  # for one address, so that a dead one leaves time for the next
MAX_ADDRESSES = 16

Protocol = TypeVar("Protocol", bound=asyncio.BaseProtocol)


async def resolve(host: str, port: int) -> list[str]:
    """Every address of ``host``, in the system's order of preference; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Egress:
    """Opens connections to where this installation may go.

    ``allow`` is EGRESS_ALLOW; ``tls`` and ``resolver`` stand in for the system's own where an
    operator has a private authority or name service.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self._allow = AllowList.read(allow)
        self._given_tls = tls
        self._resolve = resolver

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The one context everybody shares; making one costs 30 ms."""
        return self._given_tls or ssl.create_default_context()

    def check(self, web: Web) -> None:
        """Refuse what can be refused without a look-up; raises EgressDenied."""
        try:
            address = parse(web.host)
        except ValueError:
            return
        self._check_address(web, address)

    async def connect(self, web: Web, protocol: Callable[[], Protocol]) -> Protocol:
        """Open a connection to a checked address of ``web``.

        Raises EgressDenied where any address is out of bounds, UpstreamUnavailable otherwise.
        """
        failure: Exception | None = None
        for address in await self._addresses(web):
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self._open(web, address, protocol)
            except OSError as error:  # TLS failures and timeouts are among them
                failure = error
        raise UpstreamUnavailable(_reason(failure)) from failure

    async def _addresses(self, web: Web) -> list[Address]:
        try:
            found = await self._resolve(web.host, web.port)
        except OSError:
            raise UpstreamUnavailable("The upstream's name does not resolve.") from None
        addresses = [parse(text) for text in dict.fromkeys(found)]
        for address in addresses:
            self._check_address(web, address)
        return addresses[:MAX_ADDRESSES]

    def _check_address(self, web: Web, address: Address) -> None:
        # The address itself is not told: a refusal must not become a map of the inside.
        if self._allow.opens(web.host, web.port, address):
            return
        if is_never_allowed(address) or not is_public(address):
            raise EgressDenied("The upstream's address is not on the public internet.")
        if web.scheme == "http":
            raise EgressDenied("Plain http is closed for this address.")

    async def _open(self, web: Web, address: Address, protocol: Callable[[], Protocol]) -> Protocol:
        secure = web.scheme == "https"
        _, opened = await asyncio.get_running_loop().create_connection(
            protocol,
            str(address),
            web.port,
            ssl=self.tls if secure else None,
            server_hostname=web.host if secure else None,
        )
        return opened


def _reason(failure: Exception | None) -> str:
    if isinstance(failure, ssl.SSLCertVerificationError):
        return "The upstream's certificate is not valid for its name."
    if isinstance(failure, ssl.SSLError):
        return "The upstream does not speak TLS as we do."
    if isinstance(failure, TimeoutError):
        return "The upstream does not accept connections."
    return "The upstream refuses connections."
