"""A program: an environment with ten thousand rules, and one edit a second of one of them.

``python -m tests.faults.edits`` reads its plan as JSON from its input. It says when it is ready,
and for every stretch of time, with and without edits in turn, from when to when that was.
"""

import sys
import time
from dataclasses import replace

import django
import msgspec

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.policies.services import create_policy, edit_policy
from tests.faults.changes import Company

RULES_A_POLICY = 100
EVERY = 1.0  # seconds


class Plan(msgspec.Struct, frozen=True):
    """How many rules, and how many stretches of how many seconds each."""

    organization: str
    environment: str
    upstream: str
    rules: int
    stretches: int
    seconds: float


def ruled(company: Company, rules: int) -> Policy:
    """So many rules in policies of the organization; one of the policies, to be edited."""
    binding = BindingDraft("org", str(company.organization.id))
    for number in range(rules // RULES_A_POLICY):
        listed = tuple(
            RuleDraft("tool.invoke", f"tool:server-{number}/tool-{each}", "allow")
            for each in range(RULES_A_POLICY)
        )
        draft = PolicyDraft(f"{company.mark} {number}", listed, (binding,))
        policy = create_policy(company.actor, company.organization, draft)
    return policy


def edited(company: Company, policy: Policy, number: int) -> None:
    """One rule says something else."""

    def edit(before: PolicyDraft) -> PolicyDraft:
        first = replace(before.rules[0], message=f"edit {number}")
        return replace(before, rules=(first, *before.rules[1:]))

    edit_policy(company.actor, policy, edit)


def main(plan: Plan) -> None:
    """Make the rules, wait for a word, and go through the stretches."""
    company = Company(plan.organization, plan.environment, plan.upstream)
    policy = ruled(company, plan.rules)
    say("ready")
    sys.stdin.readline()
    for stretch in range(plan.stretches):
        began = time.monotonic()
        number = 0
        while (now := time.monotonic()) < began + plan.seconds:
            if stretch % 2:
                edited(company, policy, number)
            number += 1
            time.sleep(max(0.0, EVERY - (time.monotonic() - now)))  # the pace is the subject
        say(f"{began} {time.monotonic()}")


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(msgspec.json.decode(sys.stdin.readline(), type=Plan))
