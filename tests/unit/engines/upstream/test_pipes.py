"""Pipes that fill, drain and break."""

import asyncio
import os

import pytest

from agentxsuite.engines.upstream.pipes import Inlet, Outlet


@pytest.fixture
def pipe():
    """A pipe as two files: what is read, what is written."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as out, os.fdopen(writing, "wb", 0) as into:
        yield out, into


async def test_more_than_a_pipe_holds(pipe):
    """A large argument would arrive cut off, or after a later call's."""
    out, into = pipe
    lost = []
    outlet = Outlet(into, lambda: lost.append("outlet"))
    outlet.write(b"a" * 65536)  # exactly full
    outlet.write(b"b" * 300_000)
    outlet.write(b"c")
    assert outlet.waiting == 300_001
    heard, done = bytearray(), asyncio.Event()

    def hear(data):
        heard.extend(data)
        if len(heard) == 65536 + 300_001:
            outlet.close()

    inlet = Inlet(out, hear, done.set)
    async with asyncio.timeout(5):
        await done.wait()
    assert heard == b"a" * 65536 + b"b" * 300_000 + b"c"
    assert outlet.waiting == 0
    inlet.close()
    assert lost == []


@pytest.mark.parametrize("size", [1, 300_000])
async def test_nobody_reads_any_more(pipe, size):
    """A call to a server that is gone would wait until its timeout."""
    out, into = pipe
    lost = asyncio.Event()
    outlet = Outlet(into, lost.set)
    outlet.write(b"x" * 65536)
    outlet.write(b"x" * size)
    out.close()
    async with asyncio.timeout(5):
        await lost.wait()
    outlet.close()


async def test_broken_at_once(pipe):
    """A call to a server that has just gone would wait until its timeout."""
    out, into = pipe
    out.close()
    lost = []
    Outlet(into, lambda: lost.append("outlet")).write(b"x")
    assert lost == ["outlet"]
