"""The MCP addresses as protected resources (RFC 9728): what tells a client where to log in."""

from typing import Final

from agentxsuite.wire import JSON

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
SCOPES: Final = ("tool.invoke", "resource.read", "prompt.get")  # clients ask for all that is here


def metadata_address(public_url: str, path: str) -> str:
    """Where the metadata of an MCP address stands (RFC 9728 section 3.1)."""
    return f"{public_url}{WELL_KNOWN}{path}"


def metadata(public_url: str, path: str) -> dict[str, JSON]:
    """The metadata of an MCP address; our own server is where one logs in for it."""
    return {
        "resource": f"{public_url}{path}",
        "authorization_servers": [public_url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": list(SCOPES),
    }
