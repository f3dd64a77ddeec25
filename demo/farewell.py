"""What a reader needs to go on alone: the address, a login, and two lines to paste."""

import json

from demo.folder import Folder
from demo.transcript import Transcript
from demo.words import HALF_PAST_FOUR
from demo.world import World


def invite(world: World, token: str, folder: Folder, transcript: Transcript) -> None:
    """Print how to talk to the server that keeps running."""
    call = json.dumps({"tool": "time/convert_time", "input": HALF_PAST_FOUR})
    transcript.title("It keeps serving. Try it yourself:")
    transcript.line(f"  address  {world.url}")
    transcript.line(f"  login    {world.email}, password {world.password}")
    transcript.line("           (POST /api/v1/auth/login/ answers with a token for the REST API)")
    transcript.line(f"  logs     {folder.shown}/logs")
    transcript.line("\nA governed call by curl, with a token that is good for an hour:\n")
    transcript.line(
        f"curl -sS {world.api}/runs/execute/ -H 'Content-Type: application/json'"
        f" -H 'Authorization: Bearer {token}' -d '{call}'"
    )
    transcript.line("\nThe same tools in an MCP client:\n")
    transcript.line(
        f"claude mcp add --transport http agentxsuite {world.mcp_url}"
        f" --header 'Authorization: Bearer {token}'"
    )
    transcript.line("\nAny other client takes the same address (Streamable HTTP) and header.")
    transcript.line("Ctrl-C stops everything.")
