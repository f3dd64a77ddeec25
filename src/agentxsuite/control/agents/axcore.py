"""An agent that can begin at once: login, agent, policy and first token, or none of them."""

import re
from dataclasses import dataclass
from itertools import product

from agentxsuite.control.agents.accounts import create_service_account
from agentxsuite.control.agents.models import Agent, IssuedToken, ServiceAccount
from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.agents.tokens import DEFAULT_TTL, issue_token
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy, ScopeType
from agentxsuite.control.policies.services import create_policy
from agentxsuite.control.problems import Fault, Invalid
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines import pdp


@dataclass(frozen=True, slots=True)
class Wish:
    """What the agent shall be called, and be allowed: every action on every target."""

    name: str
    targets: tuple[str, ...]
    actions: tuple[str, ...]
    slug: str = ""
    tags: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    ttl_seconds: int = DEFAULT_TTL


@dataclass(frozen=True, slots=True)
class Made:
    """What was made; `token` is shown to nobody again."""

    service_account: ServiceAccount
    agent: Agent
    policy: Policy
    issued: IssuedToken
    token: str


def create_axcore(actor: Actor, environment: Environment, wish: Wish) -> Made:
    """Make an agent with everything that it needs for its first call, in one transaction.

    Its login, and so every token of it, may do the wish's actions and nothing else. Raises
    Invalid, Conflict.
    """
    with changing(environment.organization_id):
        name = f"{wish.name} in {environment.name}"
        account = create_service_account(
            actor,
            environment.organization,
            name,
            environment=environment,
            scope_allowlist=list(wish.actions),
        )
        agent = create_agent(
            actor,
            environment,
            wish.name,
            slug=wish.slug,
            service_account=account,
            tags=list(wish.tags),
            capabilities=list(wish.capabilities),
        )
        rules = [RuleDraft(*each, pdp.ALLOW) for each in product(wish.actions, wish.targets)]
        binding = BindingDraft(ScopeType.AGENT, str(agent.id))
        draft = PolicyDraft(name, tuple(rules), (binding,), environment)
        policy = _policy(actor, environment, wish, draft)
        issued, token = issue_token(actor, agent, wish.actions, wish.ttl_seconds, "first token")
        return Made(account, agent, policy, issued, token)


def _policy(actor: Actor, environment: Environment, wish: Wish, draft: PolicyDraft) -> Policy:
    """Write the policy; what is wrong with a rule is told where the wish says it."""
    try:
        return create_policy(actor, environment.organization, draft)
    except Invalid as invalid:
        told = {
            _wished(each["path"], len(wish.targets)): each["message"] for each in invalid.errors
        }
        faults: list[Fault] = [{"path": path, "message": told[path]} for path in told]
        raise Invalid(
            f"{faults[0]['path']}: {faults[0]['message']}", faults, code=invalid.code
        ) from None


def _wished(path: str, targets: int) -> str:
    """Where a wish says what stands at `path` of the policy."""
    found = re.fullmatch(r"/rules/(\d+)/(action|target).*", path)
    if found is None:
        return path
    by_action, by_target = divmod(int(found[1]), targets)
    return f"/targets/{by_target}" if found[2] == "target" else f"/actions/{by_action}"
