"""Do it: hand the judged arguments to the server behind the target, under one deadline."""

from collections.abc import Mapping

from agentxsuite.engines.upstream import (
    AccessRefused,
    AccountOver,
    EgressDenied,
    UpstreamError,
    UpstreamRpcError,
    UpstreamTimeout,
)
from agentxsuite.gateway.call import Call
from agentxsuite.gateway.facts import Connection
from agentxsuite.gateway.gate import Gate
from agentxsuite.gateway.refusals import (
    Denied,
    Refusal,
    Unavailable,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamTimedOut,
)
from agentxsuite.wire import JSON


def check_dispatchable(connection: Connection) -> None:
    """A connection whose credential cannot be read serves nobody; raises Unavailable.

    Denied where it is used with people's own accounts, and the caller has connected none.
    """
    if connection.endpoint is None and connection.connect_at:
        told = f"This is used with a person's own account: open {connection.connect_at} to connect"
        raise Denied(
            "account_needed", f"{told} yours, then run the agent as yourself.", listed=True
        )
    if connection.endpoint is None:
        raise Unavailable("secret_unavailable", "The connection's credential cannot be read.")


async def forward(
    connection: Connection,
    method: str,
    params: Mapping[str, JSON],
    timeout: float,  # noqa: ASYNC109  -- one deadline for connect, send and answer
    gate: Gate,
    call: Call,
) -> Mapping[str, JSON]:
    """Ask upstream on a call's behalf; raises UpstreamFailed or UpstreamTimedOut."""
    endpoint = connection.endpoint
    assert endpoint is not None, "check_dispatchable comes first"  # noqa: S101  -- narrows the type
    if call.extra:
        params = {**call.extra, **params}
    try:
        return await gate.upstream.request(
            endpoint, method, params, timeout=timeout, meta=call.meta, listener=call.listener
        )
    except UpstreamError as error:
        raise failed(error, timeout) from None


def failed(error: UpstreamError, timeout: float) -> Refusal:
    """What a caller may know of an upstream's failure: no address, no credential."""
    if isinstance(error, UpstreamTimeout):
        sentence = f"The upstream did not answer within {timeout:g} seconds."
        return UpstreamTimedOut("upstream_timeout", sentence)
    if isinstance(error, UpstreamRpcError):
        sentence = f"The upstream refused the call: {error.message[:500]}"
        return UpstreamRefused(sentence, error.rpc_code, error.message, error.data)
    if isinstance(error, EgressDenied):
        sentence = "The connection's address is not open to this server (EGRESS_ALLOW)."
        return UpstreamFailed(error.code, sentence)
    if isinstance(error, AccountOver):
        sentence = "Access to the caller's own account is over: they have to connect it again."
        return UpstreamFailed(error.code, sentence)
    if isinstance(error, AccessRefused):
        sentence = "The connection's authorization server gives no access: tell an administrator."
        return UpstreamFailed(error.code, sentence)
    sentence = "The upstream could not be reached or did not answer as MCP says."
    return UpstreamFailed(error.code, sentence)
