"""Answers that tell more than once, and their readers."""

import asyncio
import json

import pytest

from agentxsuite.gateway.http import Gone
from agentxsuite.gateway.sse import COMMENT, EventStream, accepts_events
from tests.unit.gateway.test_http import asked

DONE = {"id": 1, "result": {}}


class Reader:
    """Takes parts of an answer while it is `reading`; `took` says that one more was taken."""

    def __init__(self):
        self.reading = asyncio.Event()
        self.reading.set()
        self.head, self.parts, self.more = None, [], True
        self.taken = asyncio.Semaphore(0)

    async def __call__(self, message):
        await self.reading.wait()
        if message["type"] == "http.response.start":
            self.head = message
            return
        self.parts.append(message["body"])
        self.more = message.get("more_body", False)
        self.taken.release()

    @property
    def messages(self):
        lines = b"".join(self.parts).replace(b"event: message\r\n", b"").split(b"\r\n\r\n")
        return [json.loads(line.removeprefix(b"data: ")) for line in lines if line[:5] == b"data:"]


def note(number):
    return {"method": "note", "params": {"number": number, "text": "x" * 4096}}


async def test_an_answer_tells_what_it_is_told_and_ends():
    """Otherwise: nobody hears of progress, or an answer never ends."""
    reader = Reader()
    stream = EventStream(reader)
    assert stream.silent
    stream.tell({"a": 1})
    assert not stream.silent
    await reader.taken.acquire()
    stream.tell({"b": "two\nlines"})
    await stream.end(DONE)
    stream.stop()
    assert reader.messages == [{"a": 1}, {"b": "two\nlines"}, DONE]
    assert not reader.more
    assert dict(reader.head["headers"])[b"content-type"] == b"text/event-stream"


async def test_a_comment_is_sent_when_it_has_been_quiet():
    """Otherwise: proxies on the way cut off a call that takes its time."""
    reader = Reader()
    stream = EventStream(reader, quiet=0.001)
    for _ in range(3):
        await reader.taken.acquire()
    await stream.end(DONE)
    assert reader.parts[:3] == [COMMENT] * 3
    assert reader.messages == [DONE]


async def test_a_slow_reader_misses_notes_but_never_the_result():
    """Otherwise: a client that does not read fills the server's memory, or loses its answer."""
    reader = Reader()
    reader.reading.clear()
    stream = EventStream(reader)
    for number in range(10_000):
        stream.tell(note(number))
    held = stream._outbox
    assert len(held) <= 100
    assert held._size <= 256 * 1024
    reader.reading.set()
    await stream.end(DONE)
    told = [message["params"]["number"] for message in reader.messages[:-1]]
    assert told == list(range(10_000 - len(told), 10_000))
    assert reader.messages[-1] == DONE


async def test_a_reader_that_takes_nothing_for_long_is_given_up():
    """Otherwise: a client that only pretends to read keeps a call for ever."""
    reader = Reader()
    reader.reading.clear()
    stream = EventStream(reader, stalled=0.001)
    stream.tell(note(1))
    with pytest.raises(Gone):
        await stream.end(DONE)
    stream.stop()


async def test_a_stopped_stream_writes_no_more():
    """Otherwise: a task stays behind for every client that leaves."""
    reader = Reader()
    reader.reading.clear()
    stream = EventStream(reader)
    stream.tell(note(1))
    stream.stop()
    EventStream(reader).stop()
    with pytest.raises(asyncio.CancelledError):
        await stream.end(DONE)
    assert not reader.parts


@pytest.mark.parametrize(
    ("accept", "fine"),
    [
        ("application/json, text/event-stream", True),
        ("Text/Event-Stream;q=1", True),
        ("application/json", False),
        ("*/*", False),
    ],
)
def test_only_who_says_so_gets_events(accept, fine):
    """Otherwise: a program that reads JSON gets something else."""
    assert accepts_events(asked(accept=accept)) is fine
    assert not accepts_events(asked())
