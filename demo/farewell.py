"""What a reader needs to go on alone: the address, a login, and two lines to paste."""

import json

from demo.folder import Folder
from demo.transcript import Transcript
from demo.world import World


def invite(world: World, token: str, folder: Folder, transcript: Transcript) -> None:
    """Print how to talk to the server that keeps running."""
    call = json.dumps({"tool": "time/convert_time", "input": EXAMPLE})
    transcript.title("It keeps serving. Try it yourself:")
    transcript.line(f"  address  {world.url}")
    transcript.line(f"  login    {world.email}  password {world.password}")
    transcript.line(f"  logs     {folder.shown}/logs")
    transcript.line("\nA governed call by curl, with a token that is good for an hour:\n")
    transcript.line(
        f"curl -sS {world.api}/runs/execute/ -H 'Content-Type: application/json'"
        f" -H 'Authorization: Bearer {token}' -d '{call}'"
    )
    transcript.line("\nAny MCP client, for example:\n")
    transcript.line(
        f"claude mcp add --transport http agentxsuite {world.mcp_url}"
        f" --header 'Authorization: Bearer {token}'"
    )
    transcript.line("\nThe same as mcp.json:\n")
    transcript.line(json.dumps({"mcpServers": {"agentxsuite": client(world, token)}}, indent=2))
    transcript.line("\nCtrl-C stops everything.")


EXAMPLE = {"source_timezone": "Asia/Tokyo", "time": "16:30", "target_timezone": "Asia/Kolkata"}


def client(world: World, token: str) -> dict[str, object]:
    """A server's entry in the configuration of an MCP client."""
    headers = {"Authorization": f"Bearer {token}"}
    return {"type": "http", "url": world.mcp_url, "headers": headers}
