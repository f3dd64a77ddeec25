"""Every call left a run with its steps and events, and none of them has blanks."""

import json
from collections.abc import Mapping
from typing import Any

from demo.expectation import expect, expect_filled
from demo.stage import Stage
from demo.words import LARGE_TRANSFERS

Row = dict[str, Any]

STEP_TYPES = {
    None: ["decision", "limit", "validation", "upstream"],
    "denied": ["decision", "refusal"],
    "throttled": ["decision", "limit", "refusal"],
    "invalid": ["decision", "limit", "validation", "refusal"],
}
EVENT_TYPES = {
    None: ["run_started", "run_finished"],
    "denied": ["run_denied"],
    "throttled": ["run_throttled"],
    "invalid": ["run_invalid"],
}
RULELESS = {"default_deny", "tool_quarantined"}  # refused, but by no rule
UNAUTHENTICATED = "call_unauthenticated"
TOLD = ("event_type", "ts", "subject", "action", "target", "decision", "rule_name", "run_id")
PEOPLES_EVENTS = {
    "agent_created",
    "connection_created",
    "connection_synced",
    "policy_created",
    "token_issued",
    "token_revoked",
    "tool_quarantined",
}


async def play(stage: Stage) -> None:
    """Fetch runs, steps and events as a person, and hold them against what happened."""
    organization = f"orgs/{stage.world.organization}"
    stage.transcript.asks("person, REST", f"GET {organization}/runs/, and each run's steps")
    runs = (await stage.person.every(f"{organization}/runs/"))[::-1]
    found = [(run["door"], run["tool_name"], run["outcome_code"]) for run in runs]
    expect("the runs", found, [(made.door, made.tool, made.outcome) for made in stage.agent.calls])
    for run in runs:
        run["steps"] = (await stage.person.every(f"{organization}/runs/{run['id']}/steps/"))[::-1]
        check_run(stage, run)
        check_steps(run, run["steps"])
    stage.transcript.table(columns(run) for run in runs)

    stage.transcript.asks("person, REST", f"GET {organization}/audit/")
    events = (await stage.person.every(f"{organization}/audit/"))[::-1]
    for run in runs:
        check_events(stage, run, [event for event in events if event["run_id"] == run["id"]])
    others = [event for event in events if event["run_id"] is None]
    check_strays(stage, [event for event in others if event["event_type"] == UNAUTHENTICATED])
    check_people(stage, [event for event in others if event["event_type"] != UNAUTHENTICATED])
    told = json.dumps([runs, events])
    expect("the payments key is in the records", stage.world.payments_key in told, wanted=False)
    stage.transcript.table(sorted(tally(events).items()))
    stage.transcript.tell("One of them, the first transfer of 5000:")
    stage.transcript.gets(*example(events))
    stage.transcript.tell(
        f"{len(runs)} calls, {len(runs)} runs, {len(events)} audit events: no blanks, no secrets."
    )


def columns(run: Row) -> tuple[str, ...]:
    """A run in the transcript, with its steps."""
    steps = " > ".join(step["step_type"] for step in run["steps"])
    return run["created_at"][11:23], run["door"], run["tool_name"], run["status"], steps


def example(events: list[Row]) -> list[str]:
    """The event of the transfer that was too large, a line for each fact."""
    event = next(each for each in events if each["rule_name"] == LARGE_TRANSFERS)
    return [f"{name}: {event[name]}" for name in TOLD]


def check_run(stage: Stage, run: Row) -> None:
    """A run says who called what, how, and how it ended."""
    what = f"run of {run['tool_name']}"
    expect_filled(what, run, "agent_name", "tool_version", "decision_id", "input_json", "ended_at")
    expect(f"{what}: agent", run["agent"], stage.world.agent)
    expect(f"{what}: subject", run["subject"], f"agent:{stage.world.agent}")
    succeeded = run["outcome_code"] is None
    expect(f"{what}: status", run["status"], "succeeded" if succeeded else "failed")
    expect_filled(what, run, *(["started_at", "output_json"] if succeeded else ["error_text"]))


def check_steps(run: Row, steps: list[Row]) -> None:
    """A run's steps are those of the story of a call, as far as it came."""
    what = f"steps of {run['tool_name']}"
    expect(what, [step["step_type"] for step in steps], STEP_TYPES[run["outcome_code"]])
    for step in steps:
        expect_filled(f"{what}, {step['step_type']}", step, "message", "details", "timestamp")


def check_events(stage: Stage, run: Row, events: list[Row]) -> None:
    """A run's events say who did what to what, what was decided, and by which rule."""
    what = f"events of {run['tool_name']}"
    wanted = EVENT_TYPES[run["outcome_code"]]
    expect(what, [event["event_type"] for event in events], wanted)
    for event in events:
        expect(f"{what}: subject", event["subject"], f"agent:{stage.world.agent}")
        expect(f"{what}: action", event["action"], "tool.invoke")
        expect(f"{what}: target", event["target"], f"tool:{run['tool_name']}")
        expect(f"{what}: decision", event["decision"], "deny" if run["outcome_code"] else "allow")
        expect(f"{what}: decision's id", event["decision_id"], run["decision_id"])
        expect_filled(what, event, "ts", "environment", "event_data", "context")
        if event["event_data"].get("code") not in RULELESS:
            expect_filled(what, event, "rule_id", "rule_name", "policy_id", "policy_version")


def check_strays(stage: Stage, events: list[Row]) -> None:
    """The tries with the revoked token are there, under the name of the agent whose it was."""
    doors = sorted(event["context"]["door"] for event in events)
    expect("tries with a revoked token, by door", doors, ["mcp", "rest"])
    for event in events:
        expect("a revoked token's code", event["event_data"]["code"], "token_revoked")
        expect("a revoked token's subject", event["subject"], f"agent:{stage.world.agent}")
        expect("a revoked token's decision", event["decision"], "deny")


def check_people(stage: Stage, events: list[Row]) -> None:
    """What people did is there too, with who they were."""
    missing = PEOPLES_EVENTS - {event["event_type"] for event in events}
    expect("events that are missing", missing, set())
    for event in events:
        what = f"event {event['event_type']}"
        expect(f"{what}: subject", event["subject"], f"user:{stage.person.identity}")
        expect_filled(what, event, "action", "target", "decision", "ts", "context")


def tally(events: list[Row]) -> Mapping[str, str]:
    """How many events there are of each kind."""
    kinds = [event["event_type"] for event in events]
    return {kind: f"{kinds.count(kind)}" for kind in kinds}
