"""What to do about a refusal, by its code."""

from collections.abc import Mapping
from typing import Final

from agentxsuite.wire import JSON

COMMAND: Final = "agentxsuite "  # how a member begins that is a command to type
HINTS: Final[Mapping[str, str]] = {
    "agent_missing": "name the agent to run as: --agent SLUG",
    "broad_allow": "if it is meant: --acknowledge-broad",
    "default_deny": "agentxsuite policies allow --agent SLUG --tool NAME",
    "egress_denied": "whoever runs the server opens private addresses by EGRESS_ALLOW",
    "endpoint_template": "whoever runs the server adds it: agentxsuite templates add mcp.json",
    "environment_missing": "name the environment: --env NAME",
    "forbidden": "ask an admin or owner of the organization; agentxsuite whoami shows your role",
    "idempotency_key_reused": "take a new --idempotency-key",
    "outcome_unknown": "agentxsuite runs list shows what is on record",
    "registration_closed": "whoever runs the server makes accounts: agentxsuite createuser EMAIL",
    "secret_unavailable": "store the credential again, or ask whoever runs the server for its keys",
    "tool_quarantined": "agentxsuite tools diff TOOL, then agentxsuite tools approve TOOL",
    "tool_stale": "agentxsuite connections sync NAME asks the server for its tools again",
    "tool_unknown": "agentxsuite tools list",
    "upstream_timeout": "give it longer: --timeout SECONDS",
}


def hint_for(problem: Mapping[str, JSON]) -> str:
    """Return what helps: what the server itself proposes, or else what its code asks for."""
    texts = [value for value in problem.values() if isinstance(value, str)]
    if told := next((each for each in texts if each.startswith(COMMAND)), ""):
        return told
    if isinstance(wait := problem.get("retry_after"), int | float):
        return f"try again in {wait:g} seconds"
    return HINTS.get(str(problem.get("code")), "")
