"""The headings of `agentxsuite --help`, in their order."""

from typing import Final

PEOPLE: Final = "You"
PLACES: Final = "Where things are"
SERVERS: Final = "MCP servers and their tools"
AGENTS: Final = "Agents and what they may do"
EVIDENCE: Final = "Calls and their records"
OPERATING: Final = "Running a server (on its machine)"
