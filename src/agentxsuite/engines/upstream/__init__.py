"""Forward upstream: ask MCP servers over Streamable HTTP and stdio, in either era."""

from agentxsuite.engines.upstream.calls import Listener
from agentxsuite.engines.upstream.catalogue import PROMPTS, RESOURCES, TEMPLATES, Kind
from agentxsuite.engines.upstream.client import Upstreams, check_endpoint
from agentxsuite.engines.upstream.discovery import AuthorizationServer
from agentxsuite.engines.upstream.documents import fetch_document
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Endpoint, check_headers, connection_of, lent_by
from agentxsuite.engines.upstream.eras import ServerInfo
from agentxsuite.engines.upstream.errors import (
    AccessRefused,
    AccountOver,
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
from agentxsuite.engines.upstream.purse import Renew
from agentxsuite.engines.upstream.templates import (
    Limits,
    Template,
    TemplateInvalid,
    load_templates,
)
from agentxsuite.engines.upstream.tokens import Lent, ask_token, server_of

__all__ = [
    "NOTICES",
    "PROMPTS",
    "RESOURCES",
    "TEMPLATES",
    "AccessRefused",
    "AccountOver",
    "AuthorizationServer",
    "Client",
    "Egress",
    "EgressDenied",
    "Endpoint",
    "EndpointInvalid",
    "Kind",
    "Lent",
    "Limits",
    "Listener",
    "Renew",
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
    "ask_token",
    "check_endpoint",
    "check_headers",
    "connection_of",
    "fetch_document",
    "lent_by",
    "load_templates",
    "mcp_name",
    "server_of",
]
