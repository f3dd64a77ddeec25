"""One upstream as one connection knows it: asked once who it is, then spoken to in its era."""

import asyncio

from agentxsuite.engines.upstream import catalogue, eras, jsonrpc, mirrors
from agentxsuite.engines.upstream.calls import Call, Channel, Heard, Session
from agentxsuite.engines.upstream.catalogue import Kind
from agentxsuite.engines.upstream.endpoint import Endpoint
from agentxsuite.engines.upstream.eras import ServerInfo
from agentxsuite.engines.upstream.errors import (
    SessionLost,
    UpstreamError,
    UpstreamRpcError,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.handshake import negotiate
from agentxsuite.engines.upstream.hearing import Hearing
from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.engines.upstream.notices import NOTICES


class Peer:
    """An upstream, its conversation, and what was learnt about it."""

    def __init__(self, channel: Channel, heard: Heard | None = None) -> None:
        self._channel = channel
        self._heard = heard
        self._hearing: Hearing | None = None
        self._session: Session | None = None
        self._opening: asyncio.Task[Session] | None = None
        self._era: eras.Era | None = None
        self._met = False
        self._mirrors: dict[str, mirrors.Mirrors] = {}

    async def request(self, call: Call) -> Message:
        """The raw result of one request; raises UpstreamError."""
        if self._mirrors and call.method == "tools/call":
            self._mirror(call)
        return await self._ask(call)

    async def list_all(self, kind: Kind) -> list[Message]:
        """Every raw definition of a kind, none where it says to have none; raises UpstreamError."""
        if kind.capability not in (await self.who()).capabilities:
            return []
        return await catalogue.read_all(self._ask, kind)

    async def list_tools(self) -> list[Message]:
        """Every tool's raw definition; raises UpstreamError."""
        tools = await catalogue.read_all(self._ask, catalogue.TOOLS)
        found = {tool["name"]: mirrors.find(tool.get("inputSchema")) for tool in tools}
        self._mirrors = {name: marks for name, marks in found.items() if marks}
        return tools

    async def who(self) -> ServerInfo:
        """What the upstream said about itself when the conversation began; raises UpstreamError."""
        return (self._session or await self._opened()).info

    async def probe(self) -> ServerInfo:
        """Ask the upstream for a sign of life now; raises UpstreamError."""
        if self._session is None:
            return (await self._opened()).info
        sign = "ping" if self._session.info.era == "handshake" else "server/discover"
        await self._ask(Call(sign, {}))
        return self._session.info

    async def attend(self) -> None:
        """Make sure that the upstream is there, and hear of its changes; raises UpstreamError."""
        await self.probe()
        if self._hearing is not None:
            self._hearing.use()

    def show(self, endpoint: Endpoint) -> None:
        """From now on send the headers of this endpoint."""
        self._channel.show(endpoint)

    async def close(self) -> None:
        """Let go of the upstream; calls under way fail."""
        if self._opening is not None:
            self._opening.cancel()
        if self._hearing is not None:
            self._hearing.stop()
        await self._channel.end(self._session)

    async def _ask(self, call: Call) -> Message:
        try:
            return await self._answer(call)
        except UpstreamError as error:
            error.sent = call.sent
            raise

    async def _answer(self, call: Call) -> Message:
        session = self._session or await self._opened()
        if self._hearing is not None:
            self._hearing.use()
        try:
            return await self._channel.ask(call, session)
        except (SessionLost, UpstreamRpcError) as error:
            # These say that the request was refused unprocessed: once more is not twice.
            if not await self._mended(error, call, session):
                raise
        call.sent = False
        return await self._channel.ask(call, self._session or await self._opened())

    async def _mended(self, error: UpstreamError, call: Call, session: Session) -> bool:
        """Whether what the upstream minded has been put right."""
        code = error.rpc_code if isinstance(error, UpstreamRpcError) else None
        if code is None or code == jsonrpc.UNSUPPORTED_VERSION:
            if self._session is session:
                self._session = None
            return True
        if code == jsonrpc.HEADER_MISMATCH and call.method == "tools/call":
            before = call.headers
            await self.list_tools()
            self._mirror(call)
            return call.headers != before
        return False

    def _mirror(self, call: Call) -> None:
        marks = self._mirrors.get(call.name or "", ())
        call.headers = mirrors.headers(marks, call.params["arguments"])

    async def _opened(self) -> Session:
        # Shared by all who wait; who stops waiting does not spoil it for the others.
        if self._opening is None:
            self._opening = asyncio.create_task(negotiate(self._channel, self._era))
            self._opening.add_done_callback(self._settle)
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if not opening.cancelled():
                raise
            raise UpstreamUnavailable("The connection to the upstream was closed.") from None

    def _settle(self, opening: asyncio.Task[Session]) -> None:
        self._opening = None
        self._era = None
        if not opening.cancelled() and opening.exception() is None:
            self._session = opening.result()
            self._era = self._session.info.era
            self._begin_hearing(self._session)
            if self._met and self._heard is not None:  # meanwhile anything may have changed
                for notice in NOTICES:
                    self._heard(notice.method)
            self._met = True

    def _begin_hearing(self, session: Session) -> None:
        if self._hearing is not None:
            self._hearing.stop()
        if self._heard is not None:
            self._hearing = Hearing(self._channel, session, self._heard)
