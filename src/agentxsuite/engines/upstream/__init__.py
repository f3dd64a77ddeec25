"""Forward upstream: ask MCP servers over Streamable HTTP and stdio, in either era."""

from agentxsuite.engines.upstream.calls import Listener
from agentxsuite.engines.upstream.catalogue import PROMPTS, RESOURCES, TEMPLATES, Kind
from agentxsuite.engines.upstream.client import Upstreams, check_endpoint
from agentxsuite.engines.upstream.documents import fetch_document
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Endpoint, check_headers
from agentxsuite.engines.upstream.eras import ServerInfo
from agentxsuite.engines.upstream.errors import (
    AccessRefused,
    EgressDenied,
    EndpointInvalid,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRpcError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentxsuite.engines.upstream.grant import Client
from agentxsuite.engines.upstream.http1 import Response
from agentxsuite.engines.upstream.names import mcp_name
from agentxsuite.engines.upstream.notices import NOTICES
from agentxsuite.engines.upstream.templates import (
    Limits,
    Template,
    TemplateInvalid,
    load_templates,
)

__all__ = [
    "NOTICES",
    "PROMPTS",
    "RESOURCES",
    "TEMPLATES",
    "AccessRefused",
    "Client",
    "Egress",
    "EgressDenied",
    "Endpoint",
    "EndpointInvalid",
    "Kind",
    "Limits",
    "Listener",
    "Response",
    "ServerInfo",
    "Template",
    "TemplateInvalid",
    "UpstreamError",
    "UpstreamProtocolError",
    "UpstreamRpcError",
    "UpstreamTimeout",
    "UpstreamUnavailable",
    "Upstreams",
    "check_endpoint",
    "check_headers",
    "fetch_document",
    "load_templates",
    "mcp_name",
]
