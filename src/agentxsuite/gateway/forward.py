"""Do it: hand the judged arguments to the tool's own server, under one deadline."""

from collections.abc import Mapping

from agentxsuite.engines.upstream import (
    EgressDenied,
    UpstreamError,
    UpstreamRpcError,
    UpstreamTimeout,
)
from agentxsuite.gateway.call import Outcome
from agentxsuite.gateway.facts import Tool
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import Unavailable, UpstreamFailed, UpstreamTimedOut
from agentxsuite.wire import JSON


def check_dispatchable(tool: Tool) -> None:
    """A connection whose credential cannot be read serves nobody; raises Unavailable."""
    if tool.connection.endpoint is None:
        raise Unavailable("secret_unavailable", "The connection's credential cannot be read.")


async def forward(
    tool: Tool,
    arguments: Mapping[str, JSON],
    timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
    gate: Gate,
    meta: Mapping[str, JSON],
) -> Outcome:
    """Call the tool upstream; raises UpstreamFailed or UpstreamTimedOut."""
    endpoint = tool.connection.endpoint
    assert endpoint is not None, "check_dispatchable comes first"  # noqa: S101  -- narrows the type
    try:
        result = await gate.upstream.request(
            endpoint,
            "tools/call",
            {"name": tool.upstream_name, "arguments": arguments},
            timeout=timeout,
            meta=meta,
        )
    except UpstreamTimeout:
        sentence = f"The tool did not answer within {timeout:g} seconds."
        raise UpstreamTimedOut("upstream_timeout", sentence) from None
    except UpstreamError as error:
        raise UpstreamFailed(error.code, sentence_of(error)) from None
    return Outcome(result, is_error=result.get("isError") is True)


def sentence_of(error: UpstreamError) -> str:
    """What a caller may know of an upstream's failure: no address, no credential."""
    if isinstance(error, UpstreamRpcError):
        return f"The upstream refused the call: {error.message[:500]}"
    if isinstance(error, EgressDenied):
        return "The connection's address is not open to this server (EGRESS_ALLOW)."
    return "The upstream could not be reached or did not answer as MCP says."
