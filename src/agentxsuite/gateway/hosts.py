"""Which Host and Origin headers are answered (MCP transports: DNS rebinding)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from agentxsuite.gateway.http import Request


@dataclass(frozen=True, slots=True)
class Hosts:
    """Host names of this server, without ports; ``*`` answers any, ``.example.com`` a domain."""

    allowed: Sequence[str]

    def admits(self, request: Request) -> bool:
        """Whether both headers, where present, name this server."""
        host, origin = request.text(b"host"), request.text(b"origin")
        if host is None or not self._knows(urlsplit(f"//{host}").hostname):
            return False
        return origin is None or self._knows(urlsplit(origin).hostname)

    def _knows(self, name: str | None) -> bool:
        return name is not None and any(
            pattern in ("*", name) or (pattern.startswith(".") and name.endswith(pattern))
            for pattern in self.allowed
        )
