"""The same tool, another amount: a condition says no, and the record says why."""

from typing import Any

from demo.expectation import expect
from demo.stage import Stage
from demo.words import LARGE_TRANSFERS, TOO_MUCH

PAYMENT = {"amount": 5000, "currency": "EUR", "to": "tea-importer"}


async def play(stage: Stage) -> None:
    """Pay too much at both doors, then look up the explanation."""
    before = await stage.book()
    told = await stage.agent.call("payments__transfer", PAYMENT)
    expect("transfer of 5000 is an error", told.is_error, wanted=True)
    expect("what the agent reads", told.text, TOO_MUCH)
    expect("what its program reads", told.refusal.get("code"), "explicit_deny")

    refused = await stage.agent.execute("payments/transfer", PAYMENT)
    problem = refused.json()
    expect("the status of transfer", refused.status_code, 403)
    expect("the failing paths", problem.get("paths"), ["input.amount"])
    expect("its words are the rule's", problem["detail"], TOO_MUCH)
    stage.transcript.gets(f"paths: {', '.join(problem['paths'])}")

    steps = f"orgs/{stage.world.organization}/runs/{problem['run_id']}/steps/"
    stage.transcript.asks("person, REST", f"GET {steps}")
    explanation = await explained(stage, steps)
    stage.transcript.gets(*summary(explanation))
    rule = explanation["determining"]
    expect("the rule that determined it", rule["rule_name"], LARGE_TRANSFERS)
    expect("the payments company's own book", await stage.book(), before)
    stage.transcript.tell("The payments company never heard of it.")


async def explained(stage: Stage, path: str) -> dict[str, Any]:
    """The explanation of a decision, from the run's own steps."""
    steps = await stage.person.every(path)
    decisions = [step for step in steps if step["step_type"] == "decision"]
    expect("decision steps of the run", len(decisions), 1)
    expect("it has an explanation", "explanation" in decisions[0]["details"], wanted=True)
    return dict(decisions[0]["details"]["explanation"])


def summary(explanation: dict[str, Any]) -> list[str]:
    """An explanation in a few lines."""
    rule = explanation["determining"]
    policy = f"policy '{rule['policy_name']}', version {rule['policy_version']}"
    matching = ", ".join(f"'{each['rule_name']}'" for each in explanation["matching"])
    return [
        f"{explanation['effect']}, {explanation['reason']}: rule '{rule['rule_name']}' of {policy}",
        f"it looked at {', '.join(explanation['paths'])}; matching rules: {matching}",
        f"policies as of {explanation['snapshot_hash'][:12]}, at {explanation['evaluated_at']}",
    ]
