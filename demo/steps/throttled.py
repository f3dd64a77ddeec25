"""A policy's term bounds how often one agent may use one tool, whatever door it takes."""

from demo.expectation import Unexpected, expect
from demo.stage import Stage
from demo.words import A_MINUTE

TOKYO = {"timezone": "Asia/Tokyo"}


async def play(stage: Stage) -> None:
    """Ask for the time until the bucket is empty."""
    for number in range(1, A_MINUTE + 1):
        answer = await stage.agent.call("time__get_current_time", TOKYO)
        expect(f"call {number} is an error", answer.is_error, wanted=False)
    refused = await stage.agent.execute("time/get_current_time", TOKYO)
    expect(f"the status of call {A_MINUTE + 1}", refused.status_code, 429)
    expect("its code", refused.json()["code"], "rate_limited")
    wait = int(refused.headers.get("retry-after", 0))
    if not 1 <= wait <= 60 // A_MINUTE:
        raise Unexpected(f"Retry-After: expected 1 to {60 // A_MINUTE} seconds, got {wait}")
    stage.transcript.tell(f"Retry-After: {wait} (seconds); both doors draw on the same bucket.")
