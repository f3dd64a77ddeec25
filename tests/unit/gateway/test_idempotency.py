"""One key, one run: what counts as the same request, and what it is told again."""

import pytest

from agentxsuite.gateway.call import Turn
from agentxsuite.gateway.http import Request
from agentxsuite.gateway.idempotency import digest, path_of, read_key, recall
from agentxsuite.gateway.refusals import (
    InFlight,
    KeyReused,
    Malformed,
    OutcomeUnknown,
    RunCancelled,
    UpstreamFailed,
    UpstreamTimedOut,
)
from tests.unit.gateway.building import (
    ENVIRONMENT,
    ORGANIZATION,
    agent,
    call,
    entry,
    policy_set,
    principal,
    rule,
    tool,
)
from tests.unit.gateway.shelf import Shelf, gate, stored_run

OTHER = "0198f000-0000-7000-8000-000000000009"


def carrying(key):
    headers = {} if key is None else {b"idempotency-key": key}
    return Request("POST", "/", headers, "", None)


def asked(**facts):
    return digest(call(**facts), principal(policy_set(rule("allow"))), tool())


@pytest.fixture
def known():
    return entry(call=call(key="k-1"))


def answering(known, **facts):
    """A gate whose record has this run under the entry's key."""
    shelf = Shelf()
    shelf.found = [
        stored_run(**{"digest": digest(known.call, known.principal, known.target), **facts})
    ]
    return gate(shelf)


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"\xc3\xa4", b"a\x7f", b"x" * 256])
def test_a_key_that_cannot_be_kept_is_refused(key):
    """Two keys would be taken for one, or a call would end in an error of the database."""
    with pytest.raises(Malformed) as refused:
        read_key(carrying(key))
    assert refused.value.code == "invalid_idempotency_key"


@pytest.mark.parametrize("key", [b"!", b"~", b'"8e03978e-40d5"', b"x" * 255])
def test_any_visible_key_is_taken_as_it_is(key):
    """A client could not use the keys it has."""
    assert read_key(carrying(key)) == key.decode()
    assert read_key(carrying(None)) is None


def test_the_same_request_written_otherwise_is_the_same():
    """A retry by another client library would be refused."""
    one = asked(arguments={"a": 1, "b": {"c": 2, "d": 3}})
    assert one == asked(arguments={"b": {"d": 3, "c": 2}, "a": 1})
    assert asked(timeout=30) == asked(timeout=30.0) == asked(timeout=None)
    assert asked(tool="pay__transfer", agent="clerk") == asked()


def test_another_request_is_another():
    """A changed amount would be answered with the old transfer."""
    different = {
        asked(),
        asked(arguments={"amount": 6}),
        asked(arguments={"amount": "5"}),
        asked(arguments={"amount": 10**30}),
        asked(timeout=5),
        asked(extra={"x": 1}),
        asked(turn=Turn({"0": {"action": "accept"}}, "sealed")),
        asked(turn=Turn({"0": {"action": "decline"}}, "sealed")),
        digest(call(), principal(policy_set(rule("allow"))), tool(id=OTHER)),
        digest(call(), principal(policy_set(rule("allow")), agent=agent(id=OTHER)), tool()),
    }
    assert len(different) == 10


def test_a_key_belongs_to_its_address():
    """The same key at two doors would meet."""
    paths = [
        path_of(call()),
        path_of(call(door="mcp")),
        path_of(call(door="mcp", passthrough="pay")),
    ]
    mcp = f"/mcp/{ORGANIZATION}/{ENVIRONMENT}/"
    assert paths == [f"/api/v1/orgs/{ORGANIZATION}/runs/execute/", mcp, f"{mcp}pay/"]


async def test_a_key_that_is_new_is_ready_to_be_reserved(known):
    """A first request would be refused, or run unprotected."""
    assert not await recall(known, gate())
    assert known.reserved["key"] == "k-1"
    assert known.reserved["run_id"] == known.run_id
    assert known.reserved["principal"] == known.principal.subject
    reserved = known.reserved
    assert not await recall(known, gate())
    assert known.reserved is reserved


async def test_a_run_that_ended_is_told_again(known):
    """A caller that lost the answer would have to do it twice."""
    assert await recall(known, answering(known))
    assert known.replayed
    assert known.run_id == stored_run().run_id
    assert known.decision_id == stored_run().decision_id
    assert known.outcome.result["content"][0]["text"] == "done"
    assert not known.outcome.is_error
    assert known.target.version == "7"
    assert (known.ended - known.started).total_seconds() == 1


async def test_a_tools_own_failure_is_told_again(known):
    """A failed run would look like one that succeeded."""
    assert await recall(known, answering(known, status="failed", outcome_code="tool_error"))
    assert known.outcome.is_error


async def test_an_answer_that_was_not_kept_says_so(known):
    """A model would read an empty answer as success without words."""
    output = '{"truncated":true,"sha256":"00","bytes":70000}'
    await recall(known, answering(known, output=output))
    assert known.outcome.result["content"] == [
        {"type": "text", "text": "The answer was too large to keep: 70000 bytes."}
    ]
    assert known.outcome.result["sha256"] == "00"


async def test_a_tools_result_without_content_is_told_as_it_was(known):
    """A replay would say more than the tool did."""
    await recall(known, answering(known, output='{"structuredContent":{}}'))
    assert known.outcome.result == {"structuredContent": {}}


@pytest.mark.parametrize(
    ("outcome", "code", "kind", "told"),
    [
        ("timeout", None, UpstreamTimedOut, "upstream_timeout"),
        ("cancelled", None, RunCancelled, "run_cancelled"),
        ("outcome_unknown", None, OutcomeUnknown, "outcome_unknown"),
        ("upstream_error", "upstream_rpc", UpstreamFailed, "upstream_rpc"),
        ("upstream_error", None, UpstreamFailed, "upstream_unavailable"),
        (None, None, UpstreamFailed, "upstream_unavailable"),
    ],
)
async def test_a_run_that_failed_is_refused_as_the_first_time(known, outcome, code, kind, told):
    """A retry would hide that the first try failed, or try again behind the caller's back."""
    failed = {"status": "failed", "outcome_code": outcome, "code": code}
    door = answering(known, output=None, error_text="It broke.", **failed)
    with pytest.raises(kind) as refused:
        await recall(known, door)
    assert (refused.value.code, refused.value.detail) == (told, "It broke.")
    assert refused.value.recorded.run_id == stored_run().run_id
    assert refused.value.replayed


async def test_a_run_under_way_is_waited_for(known):
    """Two equal requests at once would both be sent."""
    with pytest.raises(InFlight) as refused:
        await recall(known, answering(known, status="running", ended_at=None, output=None))
    assert refused.value.retry_after == 1


async def test_a_key_of_another_request_is_refused(known):
    """A caller would take the answer to another question for its own."""
    with pytest.raises(KeyReused):
        await recall(known, answering(known, digest="another"))
