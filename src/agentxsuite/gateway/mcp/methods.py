"""Which methods there are in which era, and who answers each."""

from collections.abc import Mapping

from agentxsuite.gateway.mcp.basics import discover, initialize, nothing, set_level
from agentxsuite.gateway.mcp.completions import completion_complete
from agentxsuite.gateway.mcp.exchange import Handler
from agentxsuite.gateway.mcp.listen import listen
from agentxsuite.gateway.mcp.prompts import prompts_get, prompts_list
from agentxsuite.gateway.mcp.resources import resources_list, resources_read, templates_list
from agentxsuite.gateway.mcp.streaming import Streaming
from agentxsuite.gateway.mcp.tools import tools_call, tools_list

BOTH_ERAS: Mapping[str, Handler] = {
    "completion/complete": completion_complete,
    "prompts/get": Streaming(prompts_get),
    "prompts/list": prompts_list,
    "resources/list": resources_list,
    "resources/read": Streaming(resources_read),
    "resources/templates/list": templates_list,
    "tools/call": Streaming(tools_call),
    "tools/list": tools_list,
}
MODERN_METHODS: Mapping[str, Handler] = {
    **BOTH_ERAS,
    "server/discover": discover,
    "subscriptions/listen": listen,
}
HANDSHAKE_METHODS: Mapping[str, Handler] = {
    **BOTH_ERAS,
    "initialize": initialize,
    "ping": nothing,
    "logging/setLevel": set_level,
}
