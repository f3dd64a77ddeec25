"""Rows of the record: complete, bounded, storable."""

import hashlib
import json
from datetime import timedelta

import pytest

from agentxsuite.gateway import rows
from agentxsuite.gateway.authorize import decide
from agentxsuite.gateway.call import Entry, Outcome
from agentxsuite.gateway.refusals import Unauthenticated, UpstreamTimedOut
from tests.unit.gateway.building import NOON, call, entry, policy_set, principal, rule, tool

DONE, BROKEN = Outcome({}, is_error=False), Outcome({}, is_error=True)


def test_large_payloads_are_kept_as_their_digest():
    """One call could store a megabyte, a million calls a terabyte."""
    text = "x" * rows.STORED_BYTES
    kept = json.loads(rows.stored({"text": text}, "input", entry()))
    body = json.dumps({"text": text}, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()
    assert kept == {"truncated": True, "sha256": digest, "bytes": len(body)}


def test_what_postgresql_cannot_hold_is_kept_as_its_digest():
    """A NUL in an argument would make the call impossible to record."""
    assert json.loads(rows.stored({"text": "a\0b"}, "input", entry()))["truncated"]
    assert "\\u0000" not in rows.dump({"message": "a\0b"})


def test_redacted_paths_are_not_kept():
    """Secrets in arguments would lie in the database."""
    rules = policy_set(rule("allow", terms={"redact": ["input.card", "output.content[0].text"]}))
    asked = call(arguments={"amount": 1, "card": "4111"})
    known = entry(call=asked)
    known.decision = decide(principal(rules), tool(), asked)
    assert json.loads(rows.stored(asked.arguments, "input", known))["card"] == "[redacted]"
    told = {"content": [{"type": "text", "text": "secret"}]}
    assert "secret" not in rows.stored(told, "output", known)


def test_big_integers_are_kept_exactly():
    """The record would show another amount than was sent."""
    assert rows.stored({"amount": 10**29}, "input", entry()) == f'{{"amount":{10**29}}}'


def test_a_person_behind_an_agent_is_named():
    """The audit could not say who pressed the button."""
    known = entry(principal=principal(policy_set(rule("allow")), role="operator"))
    change = rows.started(known)
    assert change.run["subject"].startswith("user:")
    assert change.run["run_as_user_id"] == known.principal.member.user
    assert json.loads(change.events[0]["context"])["user_email"] == "olga@acme.example"


@pytest.mark.parametrize(
    ("facts", "verdict", "text"),
    [
        ({"outcome": DONE}, ("succeeded", None), ""),
        ({"outcome": BROKEN}, ("failed", "tool_error"), "The tool answered with an error."),
        ({}, ("failed", "cancelled"), "The caller went away."),
        ({"refusal": UpstreamTimedOut("x", "Late.")}, ("failed", "timeout"), "Late."),
        (
            {"refusal": Unauthenticated("x", "No outcome of its own.")},
            ("failed", "upstream_error"),
            "No outcome of its own.",
        ),
    ],
)
def test_every_end_of_a_run_has_its_name(facts, verdict, text):
    """Failures could not be told apart."""
    known = entry(started=NOON, ended=NOON + timedelta(milliseconds=1500), **facts)
    change = rows.finished(known)
    assert (change.end["status"], change.end["outcome_code"]) == verdict
    assert change.end["error_text"] == text
    assert json.loads(change.events[0]["event_data"])["duration_ms"] == 1500


def test_a_stranger_leaves_an_event_and_no_run():
    """Anybody could fill the table of runs."""
    change = rows.refused(Entry(call()), Unauthenticated("unauthenticated", "Who?"))
    assert change.run is None
    assert change.events[0]["subject"] == "anonymous"
    assert change.events[0]["organization_id"] is None
    assert rows.duration(Entry(call())) == 0
    assert change.weight > 100


def test_counted_refusals_name_their_source():
    """A flood could not be traced."""
    stranger = (None, None, "address:192.0.2.7", "", "token_expired")
    event = rows.counted(stranger, 12, NOON).events[0]
    assert event["subject"] == "anonymous"
    assert json.loads(event["event_data"]) == {
        "code": "token_expired",
        "count": 12,
        "source": "address:192.0.2.7",
    }
    known = ("org", "env", "agent:1", "tool:pay/transfer", "denied")
    assert rows.counted(known, 2, NOON).events[0]["subject"] == "agent:1"


@pytest.mark.parametrize(
    "name",
    ["x" * 2_000_000, "\0" * 3, "\U0001f600" * 5000],
    ids=["long", "a NUL", "four bytes a character"],
)
def test_names_that_callers_make_up_fit_their_columns(name):
    """A refusal could not be written, and all that wait with it."""
    known = ("org", "env", "agent:1", f"tool:{name}", "denied")
    refusal = Unauthenticated("unauthenticated", "Who?")
    asked = call(tool=name, environment=name), call(tool="", environment=name)
    changes = [rows.counted(known, 2, NOON)] + [
        rows.refused(Entry(each), refusal) for each in asked
    ]
    for target in (change.events[0]["target"] for change in changes):
        assert "\0" not in target
        assert len(target.encode()) <= 2_600
    assert all(len(change.events[0]["context"]) < 10_000 for change in changes)


def test_a_stranger_need_not_name_an_environment():
    """A call that names none could not be refused on record."""
    change = rows.refused(Entry(call(environment=None)), Unauthenticated("unauthenticated", "Who?"))
    assert json.loads(change.events[0]["context"])["environment"] is None


def test_text_that_only_spells_nul_is_kept():
    """A text about escapes would be kept as its digest, or altered."""
    spelled = {"text": "\\u0000"}
    assert json.loads(rows.stored(spelled, "input", entry())) == spelled
    assert json.loads(rows.dump(spelled)) == spelled
    assert json.loads(rows.dump({"text": "\\\0"})) == {"text": "\\\ufffd"}
