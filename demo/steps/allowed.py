"""Allowed calls reach real servers, and only through the door."""

import httpx2

from demo.expectation import expect, expect_part
from demo.stage import Stage
from demo.words import HALF_PAST_FOUR

PAYMENT = {"amount": 250, "currency": "EUR", "to": "tea-importer"}


async def play(stage: Stage) -> None:
    """Read a repository, convert a time, pay a bill."""
    history = {"repo_path": str(stage.world.repository), "max_count": 2}
    log = await stage.agent.call("git__git_log", history)
    expect("git_log is an error", log.is_error, wanted=False)
    expect_part("git_log", log.text, "Make the sencha cheaper")

    time = await stage.agent.call("time__convert_time", HALF_PAST_FOUR)
    expect("convert_time is an error", time.is_error, wanted=False)
    expect_part("half past four of Tokyo in Kolkata", time.text, "13:00")

    paid = await stage.agent.call("payments__transfer", PAYMENT)
    expect("transfer is an error", paid.is_error, wanted=False)
    expect("the receipt", {name: paid.data.get(name) for name in PAYMENT}, PAYMENT)
    expect("the payments company's own book", await stage.book(), [paid.data])
    await knock_at_the_company(stage)


async def knock_at_the_company(stage: Stage) -> None:
    """The company's key lies in the secret store; the agent has nothing that opens its door."""
    async with httpx2.AsyncClient(headers=stage.agent.headers, trust_env=False) as http:
        answer = await http.post(f"{stage.world.payments_url}/mcp", json={})
    expect("the company's answer to the agent itself", answer.status_code, 401)
    stage.transcript.tell(
        "Straight to the payments company the agent gets 401: the key is AgentxSuite's secret."
    )
