"""A program: an agent that may call everything, and a person who may change that.

``python -m tests.faults.guest`` reads its plan as JSON from its input and prints who they are.
"""

import sys

import django
import msgspec

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from knox.models import AuthToken

from agentxsuite.control.agents import services as agents
from agentxsuite.control.tenancy.models import User
from tests.faults.changes import FOUNDER, Company
from tests.faults.guest_facts import Guest


class Plan(msgspec.Struct, frozen=True):
    """In which organization, before which upstream."""

    organization: str
    environment: str
    upstream: str


def main(plan: Plan) -> None:
    """Make both."""
    company = Company(plan.organization, plan.environment, plan.upstream)
    agent, _ = company.agent("guest")
    issued, token = agents.issue_token(company.actor, agent)
    login = AuthToken.objects.create(User.objects.get(email=FOUNDER))[1]
    sys.stdout.buffer.write(
        msgspec.json.encode(Guest(str(agent.id), token, issued.jti, login)) + b"\n"
    )
    sys.stdout.buffer.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(msgspec.json.decode(sys.stdin.readline(), type=Plan))
