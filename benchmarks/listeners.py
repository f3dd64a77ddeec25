"""A program: gives the benchmark's organization many agents, and changes what all of them may use.

``python -m benchmarks.listeners <organization> <agents>`` prints their tokens as JSON. For every
line that it reads it changes a rule, and prints when that was committed, on the monotonic clock.
"""

import json
import sys
import time
from dataclasses import replace

import django

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from agentxsuite.control.agents import services as agents
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy, edit_policy
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.scope import seeing

ACTOR = Actor("client:bench")
DENY = RuleDraft("tool.invoke", "tool:many/tool-0001", "deny")
OTHER = RuleDraft("tool.invoke", "tool:many/nothing", "deny")


def main(organization_id: str, number: int) -> None:
    """Make the agents, then a change for each line."""
    with seeing([organization_id]):
        organization = Organization.objects.get(id=organization_id)
        environment = Environment.objects.get(organization=organization)
    tokens = [token_of(organization, environment, each) for each in range(number)]
    binding = BindingDraft("org", organization_id)
    policy = create_policy(ACTOR, organization, PolicyDraft("changing", (OTHER,), (binding,)))
    say(json.dumps(tokens))
    for turn, _ in enumerate(sys.stdin):
        rule = OTHER if turn % 2 else DENY
        edit_policy(ACTOR, policy, lambda before, rule=rule: replace(before, rules=(rule,)))
        say(str(time.monotonic()))


def token_of(organization: Organization, environment: Environment, number: int) -> str:
    """The token of one more agent."""
    name = f"Listener {number}"
    account = agents.create_service_account(ACTOR, organization, name)
    agent = agents.create_agent(ACTOR, environment, name, service_account=account)
    return agents.issue_token(ACTOR, agent, ttl_seconds=24 * 60 * 60)[1]


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
