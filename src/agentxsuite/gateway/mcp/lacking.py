"""What an upstream needs and a client did not say it can do: for the client to hear (-32021)."""

from agentxsuite.gateway.jsonrpc import META, MISSING_CAPABILITY, Message
from agentxsuite.gateway.refusals import UpstreamRefused
from agentxsuite.wire import JSON


def is_lacking(no: UpstreamRefused, message: Message) -> bool:
    """Whether the upstream misses what this client did not declare; else it is ours to lack."""
    if no.rpc_code != MISSING_CAPABILITY or not isinstance(no.data, dict):
        return False
    declared = message.meta.get(f"{META}clientCapabilities")
    return exceeds(no.data.get("requiredCapabilities"), declared)


def exceeds(required: JSON, declared: JSON) -> bool:
    """Whether capabilities have members, at any depth, that others have not."""
    if not isinstance(required, dict):
        return False
    if not isinstance(declared, dict):
        return True
    return any(
        name not in declared or exceeds(part, declared[name]) for name, part in required.items()
    )
