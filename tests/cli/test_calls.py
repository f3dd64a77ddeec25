"""Calls by the command line, and their records."""

import json
import threading

import pytest

RUN = {"run_id", "status", "decision_id", "agent", "tool", "result", "execution"}


def test_a_call_answers_in_the_tools_own_words(connected):
    """Otherwise: a result cannot be used in a script, or is not what the tool said."""
    done = connected.ok("call", "tests/add", "--agent", "clerk", "a=2", "b=40")
    assert done.out == "42\n"
    assert "succeeded in" in done.err, "beside the answer, not in it"
    found = connected.json("call", "tests/add", "a=2", "b=40")
    assert set(found) == RUN, "the only agent need not be named"
    assert found["result"]["structuredContent"] == {"result": 42}
    (tool,) = connected.json("tools", "list", "tests/add")
    assert (
        connected.json("call", tool["id"], "--input", '{"a": 1, "b": 2}')["status"] == "succeeded"
    )
    piped = connected.ok("call", "tests/add", "--input", "-", typed='{"a": 1, "b": 2}')
    assert piped.out == "3\n"


def test_a_tool_that_fails_makes_the_command_fail(connected):
    """Otherwise: a script goes on with the words of an error."""
    done = connected("call", "tests/fail")
    assert done.status == 1
    assert "Error executing tool fail" in done.out
    assert connected("call", "tests/fail", "--json").json["result"]["isError"] is True


def test_a_refusal_says_why_and_what_to_do(connected):
    """Otherwise: who is refused asks a person instead of reading."""
    denied = connected("call", "tests/slow", "seconds=0")
    assert denied.status == 1
    assert "error: Nobody has the time. (explicit_deny)" in denied.err
    assert "on record: run_id" in denied.err

    told = connected("call", "tests/slow", "seconds=0", "--json")
    assert told.status == 1
    assert {"code", "status", "title", "detail", "run_id", "decision_id"} <= set(told.json)

    invalid = connected("call", "tests/add", "a=1")
    assert invalid.status == 1
    assert "(invalid_arguments)" in invalid.err
    assert "  /" in invalid.err, "which argument"

    connected.ok("agents", "create", "Newcomer")
    alone = connected("call", "tests/add", "--agent", "newcomer", "a=1", "b=2")
    assert "agentxsuite policies allow --agent newcomer --tool tests/add" in alone.err


@pytest.mark.parametrize(
    "words",
    [
        ("a",),
        ("=1",),
        ("a=x",),
        ("a=1", "a=2"),
        ("a:={",),
        ("a=1", "--input", "{}"),
        ("--input", "[]"),
        ("--idempotency-key", "a b"),
        ("--idempotency-key", "\u00e4"),
        ("--agent", "nobody"),
    ],
)
def test_what_cannot_be_meant_is_not_sent(visitor, words):
    """Otherwise: a typing error becomes a call on record, or a stack trace."""
    assert visitor("call", "tests/add", *words).status == 2
    assert visitor.json("runs", "list") == []


def test_without_an_agent_there_is_no_call(cli):
    """Otherwise: a newcomer cannot tell what is missing."""
    done = cli("call", "tests/add")
    assert done.status == 2
    assert "agentxsuite agents create" in done.err


def test_a_key_runs_a_call_once_and_a_timeout_ends_it(connected):
    """Otherwise: a payment made twice, or a command that never ends."""
    line = ("call", "tests/add", "a=1", "b=1", "--idempotency-key", "k-1")
    assert connected.json(*line)["run_id"] == connected.json(*line)["run_id"]
    other = connected("call", "tests/add", "a=1", "b=2", "--idempotency-key", "k-1")
    assert "(idempotency_key_reused)" in other.err

    connected.ok("agents", "create", "Slow", "--allow", "tests/slow", "--slug", "other")
    denial = connected.json("policies", "list")
    assert {each["name"] for each in denial} >= {"Everybody in dev", "Slow in dev"}


def test_a_call_beyond_its_time_is_told_as_that(cli, upstream):
    """Otherwise: nobody learns that more time would have been enough."""
    cli.ok("connections", "add", "Tests", upstream)
    cli.ok("agents", "create", "Clerk", "--allow", "tests/*")
    late = cli("call", "tests/slow", "seconds=30", "--timeout", "1")
    assert late.status == 1
    assert "(upstream_timeout)" in late.err
    assert "--timeout SECONDS" in late.err


def test_a_running_call_is_found_and_cancelled(cli, upstream):
    """Otherwise: a call that hangs cannot be stopped by whoever started it."""
    cli.ok("connections", "add", "Tests", upstream)
    made = cli.json("agents", "create", "Clerk", "--allow", "tests/*")
    ended = []
    # CliRunner replaces the process's own streams: what waits beside it is a plain client.
    import httpx2  # noqa: PLC0415 - of this test alone

    organization = organization_of(cli)
    address = f"{cli.environment['AGENTXSUITE_SERVER']}/api/v1/orgs/{organization}/runs/execute/"
    headers = {"Authorization": f"Bearer {made['token']['token']}"}
    body = {"tool": "tests/slow", "input": {"seconds": 60}}

    def call():
        ended.append(httpx2.post(address, json=body, headers=headers, timeout=60, trust_env=False))

    waiting = threading.Thread(target=call)
    waiting.start()
    while not (running := cli.json("runs", "list", "--status", "running")):
        pass
    assert "will end" in cli.ok("runs", "cancel", running[0]["id"]).out
    waiting.join(30)
    assert ended[0].json()["code"] == "run_cancelled"
    over = cli("runs", "cancel", running[0]["id"])
    assert (over.status, "(run_ended)" in over.err) == (1, True)


def test_records_are_listed_narrowed_and_shown(connected):
    """Otherwise: what was done by the command line cannot be looked up by it."""
    connected("call", "tests/slow", "seconds=0")
    connected.ok("call", "tests/add", "a=1", "b=1")
    runs = connected.json("runs", "list")
    assert [each["status"] for each in runs] == ["succeeded", "failed"]
    assert connected.json("runs", "list", "--limit", "1") == runs[:1]
    assert connected.json("runs", "list", "--outcome", "denied") == runs[1:]
    assert connected.json("runs", "list", "--tool", "tests/add", "--since", "1h") == runs[:1]
    assert connected.json("runs", "list", "--until", "2020-01-01") == []
    assert "tests/add" in connected.ok("runs", "list").out
    found = connected.json("runs", "show", runs[0]["id"])
    assert found["input_json"] == {"a": 1, "b": 1}
    assert {each["step_type"] for each in found["steps"]}
    assert '"a": 1' in connected.ok("runs", "show", runs[0]["id"]).out
    assert connected("runs", "show", "../tools").status == 2
    assert connected("runs", "cancel", organization_of(connected)).status == 1, "no such run"
    assert connected("runs", "list", "--since", "yesterday").status == 2

    denied = connected.json("audit", "list", "--decision", "deny", "--action", "tool.*")
    assert [each["target"] for each in denied] == ["tool:tests/slow"]
    assert {"event_type", "subject", "action", "target", "decision", "ts"} <= set(denied[0])
    assert "connection_created" in connected.ok("audit", "list").out
    assert connected("audit", "list", "--decision", "maybe").status == 1


def organization_of(cli):
    return cli.json("whoami")["chosen"]["organization"]


def test_a_list_is_read_to_its_end_page_by_page(connected):
    """Otherwise: a report silently ends after the first page."""
    everything = connected.json("audit", "list", "--limit", "1000")
    organization = everything[0]["organization"]
    from agentxsuite.cli.client import Api  # noqa: PLC0415 - of this test alone

    login = json.loads(connected.logins.read_text())["logins"][0]
    api = Api(login["server"], login["token"])
    small = api.every(f"orgs/{organization}/audit/", page_size=2, most=len(everything))
    assert [each["id"] for each in small] == [each["id"] for each in everything]
    api.close()
