"""A changed definition is nobody's approved tool: it waits for a person."""

from demo.expectation import expect, expect_part
from demo.person import good
from demo.stage import Stage
from demo.steps.listing import SEEN

REFUND = {"receipt": "pay-1"}


async def play(stage: Stage) -> None:
    """The company changes ``refund``; a sync sees it; the tool is closed at both doors."""
    before = await stage.book()
    good(await stage.company.post("/release"), "POST /release", 200)
    stage.transcript.tell("The payments company releases another 'refund' under the same name.")
    connection = stage.world.connections["payments"]
    summary = await stage.person.post(f"connections/{connection}/sync/")
    stage.transcript.gets(str(summary))

    told = await stage.agent.call("payments__refund", REFUND)
    expect("what its program reads", told.refusal.get("code"), "tool_quarantined")
    expect_part("what the agent reads", told.text, "quarantined until a person approves")
    refused = await stage.agent.execute("payments/refund", REFUND)
    expect("the status at the REST door", refused.status_code, 403)
    expect("its code", refused.json()["code"], "tool_quarantined")

    names = {tool.name for tool in await stage.agent.tools()}
    expect("the names in tools/list", names, SEEN - {"payments__refund"})
    expect("the payments company's own book", await stage.book(), before)
