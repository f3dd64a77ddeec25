"""The MCP door: ``/mcp/{org}/{env}/`` and ``/mcp/{org}/{env}/{connection}/``, JSON-RPC to Call.

Stateless in both eras. A refused call is an answer that a model can read, and the connection lives.
"""

from agentxsuite.gateway.mcp.door import serve
from agentxsuite.gateway.mcp.exchange import Address

__all__ = ["Address", "serve"]
