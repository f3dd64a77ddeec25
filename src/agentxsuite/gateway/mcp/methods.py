"""Which methods there are in which era, and who answers each."""

from collections.abc import Mapping

from agentxsuite.gateway.mcp.basics import discover, initialize, nothing
from agentxsuite.gateway.mcp.exchange import Handler
from agentxsuite.gateway.mcp.listen import listen
from agentxsuite.gateway.mcp.tools import tools_call, tools_list

MODERN_METHODS: Mapping[str, Handler] = {
    "server/discover": discover,
    "subscriptions/listen": listen,
    "tools/list": tools_list,
    "tools/call": tools_call,
}
HANDSHAKE_METHODS: Mapping[str, Handler] = {
    "initialize": initialize,
    "ping": nothing,
    "logging/setLevel": nothing,
    "tools/list": tools_list,
    "tools/call": tools_call,
}
