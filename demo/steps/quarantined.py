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
    await sync(stage)

    told = await stage.agent.call("payments__refund", REFUND)
    expect("what its program reads", told.refusal.get("code"), "tool_quarantined")
    expect_part("what the agent reads", told.text, "quarantined until a person approves")
    refused = await stage.agent.execute("payments/refund", REFUND)
    expect("the status at the REST door", refused.status_code, 403)
    expect("its code", refused.json()["code"], "tool_quarantined")

    names = {tool.name for tool in await stage.agent.tools()}
    expect("the names in tools/list", names, SEEN - {"payments__refund"})
    expect("the payments company's own book", await stage.book(), before)


async def sync(stage: Stage) -> None:
    """The person asks the company for its tools again, and is told what is new."""
    path = f"connections/{stage.world.connections['payments']}/sync/"
    stage.transcript.asks("person, REST", f"POST {path}")
    report = await stage.person.post(path)
    expect("what has changed", report["changed"], ["payments/refund"])
    expect("what waits for a review", report["quarantined"], ["payments/refund"])
    stage.transcript.gets("changed: payments/refund; quarantined: payments/refund")
    for finding in report["findings"]:
        stage.transcript.gets(f"{finding['tool']}, {finding['code']}: ...{finding['detail']}...")
