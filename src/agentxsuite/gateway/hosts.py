"""Which Host and Origin headers are answered (MCP transports: DNS rebinding)."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from agentxsuite.gateway.http import Request


@dataclass(frozen=True, slots=True)
class Hosts:
    """Host names of this server, without ports; ``*`` answers any, ``.example.com`` a domain."""

    allowed: tuple[str, ...]

    def admits(self, request: Request) -> bool:
        """Whether both headers, where present, name this server."""
        host, origin = request.text(b"host"), request.text(b"origin")
        if host is None or not known(f"//{host}", self.allowed):
            return False
        return origin is None or known(origin, self.allowed)


@lru_cache(1024)
def known(url: str, allowed: tuple[str, ...]) -> bool:
    """Whether the URL's host is an allowed one."""
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return False
    return name is not None and any(
        pattern in ("*", name) or (pattern.startswith(".") and name.endswith(pattern))
        for pattern in allowed
    )
