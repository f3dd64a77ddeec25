"""One organization with what a call needs, made by the services that the API uses.

``python -m benchmarks.tenant <upstream url>`` makes it in the database of the settings and prints
the fields of ``gateway.Installation`` as JSON.
"""

import json
import sys
from pathlib import Path

import django

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from asgiref.sync import async_to_sync
from django.conf import settings

from agentxsuite.control.agents import services as agents
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog import services as catalog
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.catalog.upstreams import open_upstreams
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy
from agentxsuite.control.secretstore.keys import MasterKeys
from agentxsuite.control.tenancy import services as tenancy
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.scope import seeing
from agentxsuite.engines.tokens import KeyRing

UNTHROTTLED = {"rate": {"per_minute": 1_000_000, "burst": 1_000_000}}
A_DAY = 24 * 60 * 60  # seconds


def main(upstream: str) -> None:
    """Make everything, and tell what it is called."""
    make_keys()
    founder = tenancy.create_user(Actor("client:bench"), "bench@bench.example", None)
    actor = Actor.person(founder, "127.0.0.1", "bench")
    organization = tenancy.create_organization(actor, "Bench")
    environment = tenancy.create_environment(actor, organization, "bench", "dev")
    tool = add_tool(actor, environment, upstream)
    allow(actor, organization, tool)
    account = agents.create_service_account(actor, organization, "Caller")
    agent = agents.create_agent(actor, environment, "Caller", service_account=account)
    _, token = agents.issue_token(actor, agent, ttl_seconds=A_DAY)
    made = {
        "organization": str(organization.id),
        "environment": str(environment.id),
        "agent": str(agent.id),
        "tool": tool.name,
        "mcp_tool": tool.name.replace("/", "__"),
        "token": token,
    }
    print(json.dumps(made))


def make_keys() -> None:
    """Make the key files, which only the embedded default makes by itself."""
    for keys, path in ((KeyRing, settings.TOKEN_KEYS), (MasterKeys, settings.SECRET_KEYS)):
        if not Path(path).exists():
            keys.create(Path(path))


def add_tool(actor: Actor, environment: Environment, upstream: str) -> Tool:
    """Connect the upstream and take up what it offers."""
    connection = catalog.create_connection(actor, environment, "Bench", upstream)

    async def sync() -> None:
        async with open_upstreams() as upstreams:
            await catalog.sync_connection(actor, connection, upstreams)

    async_to_sync(sync)()
    with seeing([environment.organization_id]):
        return connection.tools.get()


def allow(actor: Actor, organization: Organization, tool: Tool) -> None:
    """Let everybody in the organization call the tool, as often as they can."""
    rule = RuleDraft("tool.invoke", f"tool:{tool.name}", "allow", terms=UNTHROTTLED)
    binding = BindingDraft("org", str(organization.id))
    draft = PolicyDraft("bench", rules=(rule,), bindings=(binding,))
    create_policy(actor, organization, draft)


if __name__ == "__main__":
    main(sys.argv[1])
