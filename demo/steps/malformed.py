"""Arguments are checked against the tool's own schema before anything is sent."""

from demo.expectation import expect, expect_part
from demo.stage import Stage

PAYMENT = {"amount": 250, "currency": "euro"}


async def play(stage: Stage) -> None:
    """Pay nobody in no currency."""
    before = await stage.book()
    refused = await stage.agent.execute("payments/transfer", PAYMENT)
    problem = refused.json()
    expect("the status of transfer", refused.status_code, 400)
    expect("its code", problem["code"], "invalid_arguments")
    faults = sorted((fault["path"], fault["keyword"]) for fault in problem["errors"])
    stage.transcript.table((fault["path"] or "/", fault["message"]) for fault in problem["errors"])
    expect("the faults", faults, [("", "required"), ("/currency", "pattern")])

    told = await stage.agent.call("payments__transfer", PAYMENT)
    expect("what its program reads", told.refusal.get("code"), "invalid_arguments")
    expect_part("what the agent reads", told.text, "Invalid arguments")
    expect("the payments company's own book", await stage.book(), before)
