"""A rule says no, in words; what no rule mentions is denied too."""

from demo.expectation import expect
from demo.stage import Stage
from demo.words import NO_COMMITS

UNKNOWN = -32602  # JSON-RPC's code for what is not there


async def play(stage: Stage) -> None:
    """Try to commit at both doors, then something that nobody thought of."""
    commit = {"repo_path": str(stage.world.repository), "message": "Make tea free"}
    refused = await stage.agent.execute("git/git_commit", commit)
    expect("the status of git_commit", refused.status_code, 403)
    expect("its code", refused.json()["code"], "explicit_deny")
    expect("its words are the rule's", refused.json()["detail"], NO_COMMITS)

    hidden = await stage.agent.call("git__git_commit", commit)
    expect("git_commit by MCP, where it is not listed", hidden.error, UNKNOWN)

    forgotten = await stage.agent.execute("git/git_reset", {"repo_path": commit["repo_path"]})
    expect("the status of git_reset", forgotten.status_code, 403)
    expect("its code", forgotten.json()["code"], "default_deny")
