"""The agent's list holds the tools that its policies could let it use, and no others."""

from demo.expectation import expect
from demo.stage import Stage

SEEN = {
    "git__git_log",
    "git__git_status",
    "payments__balance",
    "payments__refund",
    "payments__transfer",
    "time__convert_time",
    "time__get_current_time",
}


async def play(stage: Stage) -> None:
    """List the tools, and compare with what the servers offer."""
    tools = await stage.agent.tools()
    stage.transcript.table((tool.name, (tool.description or "").split(".")[0]) for tool in tools)
    expect("the names in tools/list", {tool.name for tool in tools}, SEEN)
    stage.transcript.tell(
        "Three servers, one address. git_commit, git_reset and others are not there for it."
    )
