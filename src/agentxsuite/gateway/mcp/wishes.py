"""What a client wants to hear of its request while it runs, and what it lets itself be asked."""

from collections.abc import Mapping

from msgspec import Struct

from agentxsuite.gateway.jsonrpc import INVALID_PARAMS, META, Message, RpcError, is_id
from agentxsuite.wire import JSON

# From chatter to catastrophe (RFC 5424 section 6.2.1, by MCP's names).
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
# A client of the handshake era sets its level for a session, and there is none.
HANDSHAKE_LEVEL = "info"
OFFERED = ("elicitation", "sampling", "roots")  # what of its capabilities an upstream is told


class Wishes(Struct, frozen=True):
    """``progress`` is the client's token, ``level`` the least of the log messages it wants."""

    progress: str | int | None
    level: str | None
    capabilities: Mapping[str, JSON]

    @classmethod
    def of(cls, message: Message, *, modern: bool) -> "Wishes":
        """What a message says in its ``_meta``; raises RpcError for what cannot be meant."""
        token = message.meta.get("progressToken")
        if token is not None and not is_id(token):
            raise RpcError(INVALID_PARAMS, "'progressToken' must be a string or an integer.")
        if not modern:
            return cls(token, HANDSHAKE_LEVEL, {})
        level = message.meta.get(f"{META}logLevel")
        if level is not None and level not in LEVELS:
            raise RpcError(INVALID_PARAMS, f"'{META}logLevel' is none of {', '.join(LEVELS)}.")
        told = message.meta.get(f"{META}clientCapabilities")
        known = told if isinstance(told, dict) else {}
        return cls(token, level, {name: known[name] for name in OFFERED if name in known})

    @property
    def to_hear(self) -> bool:
        """Whether there may be something to tell before the result."""
        return self.progress is not None or self.level is not None

    def wants(self, level: JSON) -> bool:
        """Whether a log message of this level is severe enough."""
        if self.level is None or level not in LEVELS:
            return False
        return LEVELS.index(level) >= LEVELS.index(self.level)
