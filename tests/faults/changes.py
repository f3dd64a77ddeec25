"""What the rounds of `tests.faults.rounds` change, through the services: something for each kind.

Django must be set up before this is imported.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from knox.models import AuthToken

from agentxsuite.control.agents import services as agents
from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog import services as catalog
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.catalog.upstreams import open_upstreams
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy, edit_policy
from agentxsuite.control.secretstore import services as secretstore
from agentxsuite.control.tenancy import services as tenancy
from agentxsuite.control.tenancy.models import (
    Environment,
    Organization,
    OrganizationMembership,
    User,
)
from agentxsuite.control.tenancy.scope import changing, seeing

FOUNDER = "bench@bench.example"
UNTHROTTLED = {"rate": {"per_minute": 1_000_000, "burst": 1_000_000}}
SECRET = "secret rotated"


class Asked(NamedTuple):
    """One call: by whom, of what."""

    token: str
    agent: str
    tool: str


class Kind(NamedTuple):
    """A kind of change: how to make it, by what call it shows, and how that is then refused.

    It begins let in. A secret is never refused: `change` gets the value that must be sent.
    """

    change: Callable[[Any], object]
    asked: Callable[[], Asked]
    refused: tuple[int, str] = (0, "")


class Company:
    """What the rounds change: for each kind something of its own."""

    def __init__(self, organization: str, environment: str, upstream: str) -> None:
        self.mark = secrets.token_hex(4)
        self.upstream = upstream
        with seeing([organization]):
            self.organization = Organization.objects.get(id=organization)
            self.environment = Environment.objects.get(id=environment)
            founder = User.objects.get(email=FOUNDER)
        self.actor = Actor.person(founder, "127.0.0.1", "faults")
        self.allowed = self.tool("free")
        self.allow()

    def kinds(self) -> dict[str, Kind]:
        """Everything that can change, by what it is called."""
        return {
            "policy changed": self.policy_changed(),
            "token revoked": self.token_revoked(),
            "agent disabled": self.agent_disabled(),
            "member removed": self.member_removed(),
            "tool quarantined": self.tool_quarantined(),
            SECRET: self.secret_rotated(),
        }

    def agent(self, name: str) -> tuple[Agent, str]:
        """An agent, and a token of its own."""
        name = f"{name} {self.mark}"
        account = agents.create_service_account(self.actor, self.organization, name)
        agent = agents.create_agent(self.actor, self.environment, name, service_account=account)
        return agent, agents.issue_token(self.actor, agent)[1]

    def tool(self, name: str, **facts: Any) -> Tool:
        """The tool of a connection of its own."""
        name = f"{name}-{self.mark}"
        connection = catalog.create_connection(
            self.actor, self.environment, name, self.upstream, **facts
        )

        async def sync() -> None:
            async with open_upstreams() as upstreams:
                await catalog.sync_connection(self.actor, connection, upstreams)

        async_to_sync(sync)()
        with seeing([self.organization.id]):
            return connection.tools.get()

    def allow(self) -> None:
        """Everybody may call everything, as often as they like."""
        rule = RuleDraft("tool.invoke", "tool:*", "allow", terms=UNTHROTTLED)
        binding = BindingDraft("org", str(self.organization.id))
        draft = PolicyDraft(f"all {self.mark}", (rule,), (binding,), acknowledge_broad=True)
        create_policy(self.actor, self.organization, draft)

    def policy_changed(self) -> Kind:
        agent, token = self.agent("policy")
        deny = RuleDraft("tool.invoke", "tool:*", "deny")
        binding = BindingDraft("agent", str(agent.id))
        draft = PolicyDraft(f"policy {self.mark}", (), (binding,))
        policy = create_policy(self.actor, self.organization, draft)

        def change(on: bool) -> None:  # noqa: FBT001 - on or off is all there is
            rules = () if on else (deny,)
            edit_policy(self.actor, policy, lambda before: replace(before, rules=rules))

        asked = Asked(token, str(agent.id), self.allowed.name)
        return Kind(change, lambda: asked, (403, "explicit_deny"))

    def token_revoked(self) -> Kind:
        agent, _ = self.agent("token")
        issued = list(agents.issue_token(self.actor, agent))

        def change(on: bool) -> None:  # noqa: FBT001 - as above
            if on:
                issued[:] = agents.issue_token(self.actor, agent)
            else:
                agents.revoke_token(self.actor, issued[0])

        def asked() -> Asked:
            return Asked(issued[1], str(agent.id), self.allowed.name)

        return Kind(change, asked, (401, "token_revoked"))

    def agent_disabled(self) -> Kind:
        agent, token = self.agent("agent")

        def change(on: bool) -> None:  # noqa: FBT001 - as above
            with changing(self.organization.id):
                Agent.objects.filter(id=agent.id).update(enabled=on)

        asked = Asked(token, str(agent.id), self.allowed.name)
        return Kind(change, lambda: asked, (403, "agent_disabled"))

    def member_removed(self) -> Kind:
        agent, _ = self.agent("member")
        user = tenancy.create_user(self.actor, f"{self.mark}@bench.example", None)
        token = AuthToken.objects.create(user)[1]
        tenancy.add_member(self.actor, self.organization, user, "operator")

        def change(on: bool) -> None:  # noqa: FBT001 - as above
            if on:
                tenancy.add_member(self.actor, self.organization, user, "operator")
            else:
                with changing(self.organization.id):
                    OrganizationMembership.objects.filter(user=user).delete()

        asked = Asked(token, str(agent.id), self.allowed.name)
        return Kind(change, lambda: asked, (404, "agent_unknown"))

    def tool_quarantined(self) -> Kind:
        agent, token = self.agent("tool")
        tool = self.tool("tool")

        def change(on: bool) -> None:  # noqa: FBT001 - as above
            status = "synced" if on else "pending_review"
            with changing(self.organization.id):
                Tool.objects.filter(id=tool.id).update(sync_status=status)

        asked = Asked(token, str(agent.id), tool.name)
        return Kind(change, lambda: asked, (403, "tool_quarantined"))

    def secret_rotated(self) -> Kind:
        agent, token = self.agent("secret")
        secret = secretstore.store(self.actor, self.organization, self.environment, "first")
        tool = self.tool("secret", auth_method="bearer", secret_ref=secret.ref)
        asked = Asked(token, str(agent.id), tool.name)
        return Kind(lambda value: secretstore.rotate(self.actor, secret, value), lambda: asked)
