"""Work in rounds survives what goes wrong in one."""

import asyncio

import pytest

from agentxsuite.gateway.worker import rounds
from agentxsuite.gateway.worker.rounds import keep
from tests.unit.gateway.shelf import AWAY


@pytest.mark.parametrize(
    ("failure", "told"),
    [(AWAY, "beating: not now: ledger_unavailable"), (KeyError("defect"), "beating: failed")],
)
async def test_a_round_that_fails_is_told_and_tried_again(caplog, failure, told):
    """A worker would live on without its lease, and nobody would know why."""
    second = asyncio.Event()
    failures = [failure]

    async def work():
        if failures:
            raise failures.pop()
        second.set()

    task = asyncio.create_task(keep("beating", work, 0))
    await second.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert [record.getMessage() for record in caplog.records] == [told]


async def test_what_was_not_possible_is_tried_again_soon(monkeypatch):
    """A worker refuses calls for a whole round after its database is back."""
    monkeypatch.setattr(rounds, "AGAIN", 0)
    second = asyncio.Event()
    failures = [AWAY]

    async def work():
        if failures:
            raise failures.pop()
        second.set()

    task = asyncio.create_task(keep("beating", work, 3600))
    async with asyncio.timeout(10):
        await second.wait()
    task.cancel()
    await asyncio.wait([task])
