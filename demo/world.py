"""Everything the story needs to know of what was prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class World:
    """Addresses, ids and credentials; ``connections`` are ids by slug."""

    url: str
    payments_url: str
    payments_key: str
    repository: Path
    organization: str
    environment: str
    agent: str
    connections: Mapping[str, str]
    email: str
    password: str

    @property
    def mcp_url(self) -> str:
        """The one address that the agent's MCP client is given."""
        return f"{self.url}/mcp/{self.organization}/{self.environment}/"

    @property
    def api(self) -> str:
        """The organization's part of the REST API."""
        return f"{self.url}/api/v1/orgs/{self.organization}"
