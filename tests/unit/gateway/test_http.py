"""Raw ASGI: bodies, caps, hang-ups."""

import asyncio
import json

import pytest

from agentxsuite.gateway import http
from agentxsuite.gateway.http import (
    MAX_BODY,
    PART,
    Gone,
    Request,
    about,
    problem,
    reply,
    unless_gone,
    whole_seconds,
)
from agentxsuite.gateway.refusals import Invalid, Malformed, Recorded, Throttled, TooLarge


def asked(*messages, **headers):
    """A request whose body arrives as these ASGI messages."""
    queue = list(messages)

    async def receive():
        return queue.pop(0)

    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "POST", "path": "/x", "headers": lines, "client": None}
    return Request.read(scope, receive)


def chunk(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


class Answer:
    """Keeps what was sent."""

    def __init__(self):
        self.status, self.headers, self.body = 0, {}, b""

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]


def test_a_header_that_comes_twice_is_both():
    """Otherwise: a proxy judges a request by one of two headers, and we go by the other."""
    lines = [(b"a", b"1"), (b"b", b" x "), (b"a", b" 2 "), (b"a", b"3")]
    scope = {"method": "POST", "path": "/", "headers": lines, "client": None}
    request = Request.read(scope, Answer())
    assert (request.text(b"a"), request.text(b"b")) == ("1, 2, 3", "x")


async def test_a_body_in_pieces_is_put_together():
    """A large request would be cut off at the first packet."""
    request = asked(chunk(b'{"a":', more=True), chunk(b"1}"))
    assert await request.json() == {"a": 1}
    assert request.address == ""


async def test_a_stated_length_beyond_the_cap_is_refused_unread():
    """Anybody could fill the memory by announcing and sending gigabytes."""
    with pytest.raises(TooLarge) as refused:
        await asked(content_length=str(MAX_BODY + 1)).body()
    assert refused.value.status == 413


async def test_an_unstated_length_is_capped_while_streaming():
    """Chunked bodies announce nothing, and would not be stopped."""
    half = b"x" * (MAX_BODY // 2 + 1)
    with pytest.raises(TooLarge):
        await asked(chunk(half, more=True), chunk(half, more=True)).body()


async def test_hanging_up_within_the_body_ends_the_request():
    """Half a request would be run."""
    with pytest.raises(Gone):
        await asked(chunk(b"{", more=True), {"type": "http.disconnect"}).body()


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "malformed_json"), (b"[NaN]", "malformed_json"), (b"[" * 65 + b"]" * 65, "too_deep")],
)
async def test_what_is_not_json_has_a_stable_code(body, code):
    """Programs could not tell one mistake from another."""
    with pytest.raises(Malformed) as refused:
        await asked(chunk(body)).json()
    assert refused.value.code == code


async def test_a_problem_tells_all_that_is_known():
    """A developer would have to guess what to mend and what to quote."""
    refusal = Invalid("Bad amount.", [{"path": "/amount", "message": "too big"}])
    refusal.recorded = Recorded("run", "decision")
    answer = Answer()
    await problem(answer, refusal)
    assert answer.status == 400
    assert answer.headers[b"content-type"] == b"application/problem+json"
    told = json.loads(answer.body)
    assert told["code"] == "invalid_arguments"
    assert told["run_id"] == "run"
    assert told["decision_id"] == "decision"
    assert told["errors"] == [{"path": "/amount", "message": "too big"}]


async def test_a_problem_without_a_run_quotes_only_the_decision():
    """A caller would be sent looking for a run that does not exist."""
    refusal = Throttled("rate_limited", "Slow down.", 0.2)
    refusal.recorded = Recorded(None, "decision")
    answer = Answer()
    await problem(answer, refusal)
    assert answer.headers[b"retry-after"] == b"1"
    assert "run_id" not in json.loads(answer.body)


def test_retry_after_is_in_whole_seconds_rounded_up():
    """Clients that come back a moment too early are refused again."""
    assert [whole_seconds(s) for s in (0.0, 0.1, 1.0, 1.2)] == [1, 1, 1, 2]
    assert about(Malformed("x", "y")) == ()


async def test_work_is_answered_when_the_caller_stays():
    """Every call would be lost."""
    forever = asyncio.Event()

    async def stays():
        await forever.wait()

    async def work():
        return 7

    assert await unless_gone(work(), stays) == 7


async def test_work_is_cancelled_when_the_caller_goes():
    """Upstreams would work for nobody."""
    begun, cancelled = asyncio.Event(), asyncio.Event()
    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def goes():
        await begun.wait()
        return next(messages)

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(Gone):
        await unless_gone(work(), goes)
    assert cancelled.is_set()


async def test_cancellation_from_outside_stays_a_cancellation():
    """A stopping server would take its own shutdown for a caller that left."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        await never.wait()

    async def stays():
        await never.wait()

    task = asyncio.create_task(unless_gone(work(), stays))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 3 * PART])
async def test_a_long_answer_is_sent_as_it_is_read(size):
    """Otherwise: whoever asks for much and does not read it fills the memory."""
    body, sent = bytes(range(256)) * (size // 256) + b"x" * (size % 256), []

    async def send(message):
        sent.append(message)

    await reply(send, 200, body)
    head, *parts = sent
    assert dict(head["headers"])[b"content-length"] == str(size).encode()
    assert b"".join(part["body"] for part in parts) == body
    assert all(len(part["body"]) <= PART for part in parts)
    assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]


async def test_who_does_not_read_a_long_answer_is_given_up(monkeypatch):
    """Otherwise: answers that nobody reads wait for ever."""
    monkeypatch.setattr(http, "STALLED_SECONDS", 0.01)
    taken = []

    async def send(message):
        taken.append(message)
        if len(taken) > 2:
            await asyncio.Event().wait()

    with pytest.raises(Gone):
        await reply(send, 200, bytes(3 * PART))
    assert len(taken) == 3
