"""Resource indicators (RFC 8707): the addresses that tokens are asked for."""

import re
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings

HEX: Final = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
PLACE: Final = re.compile(rf"/mcp/({HEX})/({HEX})(?:/([a-z][a-z0-9-]{{0,30}}))?/?")


class Place(NamedTuple):
    """An environment's MCP address, whichever of its connections was named."""

    organization: UUID
    environment: UUID

    @property
    def address(self) -> str:
        """The audience of tokens for it."""
        return f"{settings.PUBLIC_URL}/mcp/{self.organization}/{self.environment}/"


def place_of(resource: str) -> Place | None:
    """Return the place whose address, or whose connection's address, this is."""
    before, here, path = resource.partition(settings.PUBLIC_URL)
    found = PLACE.fullmatch(path) if here and not before else None
    return Place(UUID(found[1]), UUID(found[2])) if found else None


def marked(organization: UUID, secret: str) -> str:
    """Return a secret that tells whose rows to look for it in."""
    return f"{organization.hex}.{secret}"


def mark_of(secret: str) -> UUID | None:
    """Return the organization that a secret says it belongs to; what it proves is another thing."""
    try:
        return UUID(hex=secret.partition(".")[0]) if secret[32:33] == "." else None
    except ValueError:
        return None
