"""Finding out which era an upstream lives in: ask the new way, fall back to the old one."""

import asyncio

from agentxsuite.engines.upstream import eras, jsonrpc
from agentxsuite.engines.upstream.calls import Call, Channel, Session
from agentxsuite.engines.upstream.errors import (
    UpstreamProtocolError,
    UpstreamRpcError,
    UpstreamTimeout,
    UpstreamUnavailable,
)

NEGOTIATION_SECONDS = 30.0  # a server that is started on demand may take its time
DISCOVERY_SECONDS = 5.0  # a server of the old era may stay silent instead of refusing


async def negotiate(channel: Channel, remembered: eras.Era | None) -> Session:
    """Open a conversation in the upstream's own era; raises UpstreamError.

    ``remembered`` spares an upstream known to be of the old era the question.
    """
    try:
        async with asyncio.timeout(NEGOTIATION_SECONDS):
            await channel.start()
            if remembered != "handshake" and (session := await _discover(channel)):
                return session
            await channel.start()  # some servers end themselves over an unknown first request
            return await _initialize(channel)
    except TimeoutError:
        raise UpstreamTimeout("The upstream does not finish its handshake.") from None


async def _discover(channel: Channel) -> Session | None:
    call = Call("server/discover", {})
    session = Session(eras.ServerInfo("stateless", eras.STATELESS_VERSION))
    try:
        async with asyncio.timeout(DISCOVERY_SECONDS):
            info = eras.read_discovery(await channel.ask(call, session))
    except UpstreamRpcError as error:
        if error.rpc_code == jsonrpc.UNSUPPORTED_VERSION and eras.shares_no_version(error.data):
            raise UpstreamProtocolError("The upstream speaks no version that we know.") from None
        return None
    except UpstreamUnavailable:
        if not call.sent:
            raise
        return None
    except (UpstreamProtocolError, TimeoutError):
        return None
    return Session(info) if info else None


async def _initialize(channel: Channel) -> Session:
    session = Session(eras.ServerInfo("handshake", eras.HANDSHAKE_VERSIONS[0]))
    result = await channel.ask(Call("initialize", eras.initialize_params()), session)
    session.info = eras.read_handshake(result)
    await channel.tell(jsonrpc.notification("notifications/initialized"), session)
    return session
