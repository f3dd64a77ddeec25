"""The door to all upstreams: a call in, a result or an UpstreamError out, within a deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from agentxsuite.engines.upstream import eras
from agentxsuite.engines.upstream.calls import Call, Channel, Listener
from agentxsuite.engines.upstream.catalogue import Kind
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Endpoint, Web, connection_of, locate
from agentxsuite.engines.upstream.eras import ServerInfo
from agentxsuite.engines.upstream.errors import CredentialRefused, EndpointInvalid, UpstreamTimeout
from agentxsuite.engines.upstream.grant import Client
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.engines.upstream.peer import Peer
from agentxsuite.engines.upstream.purse import Purse, Renew
from agentxsuite.engines.upstream.sse_channel import HttpSse
from agentxsuite.engines.upstream.stdio import Stdio
from agentxsuite.engines.upstream.streamable import Streamable
from agentxsuite.engines.upstream.templates import Template

Result = TypeVar("Result")

_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}  # for Mcp-Name
BULKHEAD = 64  # calls that one connection may have under way; more wait, within their deadline


class Upstreams:
    """Every upstream this process talks to, by connection; an asynchronous context manager.

    What is kept for a connection (sockets, a process, the era) belongs to one Endpoint: when
    another comes under the same id, it is let go and begun anew.
    """

    def __init__(
        self,
        egress: Egress,
        templates: Mapping[str, Template] | None = None,
        *,
        bulkhead: int = BULKHEAD,
        renew: Renew | None = None,
    ) -> None:
        self._egress = egress
        self._purse = Purse(egress, renew=renew)
        self._templates = templates or {}
        self._bulkhead = bulkhead
        self._peers: dict[str, tuple[Endpoint, Peer]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._heard: Callable[[str, str], None] | None = None

    def heed(self, heard: Callable[[str, str], None]) -> None:
        """From now on tell ``heard`` when a server in use says that one of its lists has changed.

        It gets the connection's id and the notice's method.
        """
        self._heard = heard

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def call_tool(
        self,
        endpoint: Endpoint,
        name: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float,
        meta: Mapping[str, Any] | None = None,
    ) -> Coroutine[Any, Any, Message]:
        """Run a tool once, as ``request`` does."""
        params = {"name": name, "arguments": arguments}
        return self.request(endpoint, "tools/call", params, timeout=timeout, meta=meta)

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        params: Mapping[str, Any],
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
        meta: Mapping[str, Any] | None = None,
        listener: Listener | None = None,
    ) -> Message:
        """Ask once; the raw MCP result, unknown fields kept. Raises UpstreamError.

        The upstream receives exactly ``params`` and ``meta`` without the protocol's own keys.
        ``listener`` hears what it says of this request while it works.
        """
        if meta:
            params = {**params, "_meta": eras.caller_meta(meta)}
        named = params.get(_NAMED.get(method, ""))
        call = Call(method, params, named, listener=listener)
        return await _within(timeout, self._with(endpoint, lambda peer: peer.request(call)), call)

    async def list_all(
        self,
        endpoint: Endpoint,
        kind: Kind,
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
    ) -> list[Message]:
        """Every raw definition of a kind, all pages; none where the upstream says to have none.

        Raises UpstreamError.
        """
        return await _within(timeout, self._with(endpoint, lambda peer: peer.list_all(kind)))

    async def who(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
    ) -> ServerInfo:
        """What the upstream said about itself when we first met. Raises UpstreamError."""
        return await _within(timeout, self._with(endpoint, Peer.who))

    async def list_tools(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
    ) -> list[Message]:
        """Every tool's raw definition, all pages. Raises UpstreamError."""
        return await _within(timeout, self._with(endpoint, Peer.list_tools))

    async def probe(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
    ) -> ServerInfo:
        """Ask for a sign of life now, and who is there. Raises UpstreamError."""
        return await _within(timeout, self._with(endpoint, Peer.probe))

    async def attend(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,  # noqa: ASYNC109  the caller's terms, in seconds
    ) -> None:
        """Hear of changes for the next minutes, as if it were in use. Raises UpstreamError."""
        await _within(timeout, self._with(endpoint, Peer.attend))

    async def forget(self, endpoint_id: str) -> None:
        """Let go of a connection that changed or is gone; its process ends.

        What its people use it with goes too; the id of one person's endpoint lets go of that only.
        """
        ids = [each for each in self._peers if endpoint_id in {each, connection_of(each)}]
        for _, peer in [self._peers.pop(each) for each in ids]:
            await peer.close()

    async def aclose(self) -> None:
        """Let go of everything."""
        for endpoint_id in tuple(self._peers):
            self._retire(endpoint_id)
        if self._closing:
            await asyncio.wait(self._closing)

    def _with(
        self, endpoint: Endpoint, deed: Callable[[Peer], Awaitable[Result]]
    ) -> Awaitable[Result]:
        peer = self._peer(endpoint)
        if endpoint.client is None:
            return deed(peer)
        return self._lent(endpoint, endpoint.client, peer, deed)

    async def _lent(
        self,
        endpoint: Endpoint,
        client: Client,
        peer: Peer,
        deed: Callable[[Peer], Awaitable[Result]],
    ) -> Result:
        """Show an access token; another one where the upstream takes that no more."""
        token = await self._purse.token(client)
        peer.show(endpoint.bearing(token))
        try:
            return await deed(peer)
        except CredentialRefused:
            self._purse.spoil(client, token)
        peer.show(endpoint.bearing(await self._purse.token(client)))
        return await deed(peer)

    def _peer(self, endpoint: Endpoint) -> Peer:
        known = self._peers.get(endpoint.id)
        if known is not None:
            if known[0] is endpoint or known[0] == endpoint:
                return known[1]
            self._retire(endpoint.id)
        heard = partial(self._heard, connection_of(endpoint.id)) if self._heard else None
        peer = Peer(self._channel(endpoint), heard)
        self._peers[endpoint.id] = (endpoint, peer)
        return peer

    def _channel(self, endpoint: Endpoint) -> Channel:
        where = locate(endpoint.url)
        if isinstance(where, Web):
            transport = HttpSse if where.sse else Streamable
            return transport(endpoint, where, self._egress, self._bulkhead)
        return Stdio(endpoint, where, _template(where.template, self._templates), self._bulkhead)

    def _retire(self, endpoint_id: str) -> None:
        _, peer = self._peers.pop(endpoint_id)
        task = asyncio.create_task(peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def check_endpoint(
    url: str, templates: Mapping[str, Template], egress: Egress | None = None
) -> None:
    """Refuse an address that could never be called; raises EndpointInvalid, EgressDenied.

    Without a look-up: what a name resolves to is judged when it is called. ``egress`` also
    refuses addresses written as numbers that this installation does not open.
    """
    where = locate(url)
    if isinstance(where, Web):
        if egress is not None:
            egress.check(where)
    else:
        _template(where.template, templates).fill(where)


def _template(name: str, templates: Mapping[str, Template]) -> Template:
    if name not in templates:
        raise EndpointInvalid("endpoint_template", "There is no such command template.")
    return templates[name]


async def _within(seconds: float, deed: Awaitable[Result], call: Call | None = None) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await deed
    except TimeoutError:
        sent = call is None or call.sent
        detail = f"The upstream did not answer within {seconds:g} seconds."
        raise UpstreamTimeout(detail, sent=sent) from None
