"""What `policies/evaluate/` foretells is what then happens to the call."""

from itertools import product

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.policies.services import create_policy, delete_policy

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

SHORT = {"path": "input.text", "op": "len_lte", "value": 5}
LOCAL = {"path": "context.ip", "op": "cidr", "value": "127.0.0.0/8"}
DOOR = {"path": "request.door", "op": "eq", "value": "mcp"}
TOKEN = {"path": "context.auth_method", "op": "eq", "value": "agent_token"}
TAGGED = {"path": "principal.tags", "op": "contains", "value": "janitor"}
PROD = {"path": "env.type", "op": "eq", "value": "prod"}
NAMED = {"path": "tool.connection", "op": "eq", "value": "tests"}
PERSON = {"path": "principal.user.email", "op": "prefix", "value": "bob", "on_missing": "no_match"}

ALLOW, DENY = (("allow", "tool:*", None, ""),), (("deny", "tool:*/echo", None, "Not {that}."),)
RULES = {
    "nothing": (),
    "allow": ALLOW,
    "deny": (*ALLOW, *DENY),
    "deny of another": (*ALLOW, ("deny", "tool:*/delete*", None, "")),
    "short": (("allow", "tool:tests/*", SHORT, ""),),
    "not short": (*ALLOW, ("deny", "tool:*", {"not": SHORT}, "Too long.")),
    "from here": (("allow", "tool:*", LOCAL, ""),),
    "another door": (("allow", "tool:*", DOOR, ""),),
    "by token": (*ALLOW, ("deny", "tool:*", {"not": TOKEN}, "")),
    "untagged": (*ALLOW, ("deny", "tool:*", {"not": TAGGED}, "")),
    "in prod": (("allow", "tool:*", {"all": [PROD, NAMED]}, ""),),
    "not bob": (*ALLOW, ("deny", "tool:*", PERSON, "Not you.")),
    "operators": (*ALLOW, ("deny role operator", "tool:*", None, "No operators.")),
    "only operators": (("allow role operator", "tool:*", None, ""),),
}
INPUTS = ({"text": "hello"}, {"text": "hello, world"}, {"text": 7})
CALLERS = ("agent", "bob", "vera")


def write(company, name):
    """Put other rules in place of those before."""
    for policy in Policy.objects.live():
        delete_policy(company.actor, policy)
    here = BindingDraft("org", str(company.organization.id))
    for number, (effect, target, conditions, message) in enumerate(RULES[name]):
        verb, _, role = effect.partition(" role ")
        rule = RuleDraft("tool.invoke", target, verb, conditions, message=message)
        bound = BindingDraft("role", role) if role else here
        draft = PolicyDraft(f"{name} {number}", (rule,), (bound,))
        create_policy(company.actor, company.organization, draft)


@pytest.fixture
def tokens(world):
    """What each caller shows; `alice` asks for the trials."""
    people = world.company.people
    logins = {name: AuthToken.objects.create(people[name])[1] for name in ("alice", "bob", "vera")}
    return {"agent": world.token, **logins}


@pytest.fixture
def both(world, client, tokens):
    """Try a call, then make it: what was foretold, and what happened."""

    async def both(caller, given, tool="tests/echo", agent=None):
        who = {} if caller == "agent" else {"agent": agent or str(world.agent.id)}
        person = {} if caller == "agent" else {"user": str(world.company.people[caller].id)}
        question = {
            "agent": str(world.agent.id),
            **person,
            "action": "tool.invoke",
            "target": f"tool:{tool}",
            "input": given,
            "context": {
                "ip": "127.0.0.1",
                "door": "rest",
                "auth_method": "agent_token" if caller == "agent" else "login",
                "client": "pytest",
            },
        }
        home = world.execute.removesuffix("runs/execute/") + "policies/evaluate/"
        foretold = await client.post(home, json=question, headers=bearer(tokens["alice"]))
        assert foretold.status_code == 200, foretold.text
        body = {"tool": tool, "input": given, **who}
        happened = await client.post(world.execute, json=body, headers=bearer(tokens[caller]))
        return foretold.json(), happened

    return both


def bearer(token):
    return {"authorization": f"Bearer {token}", "user-agent": "pytest"}


def agree(foretold, happened):
    """Hold a trial against the call: allowed is all that policy and facts have a say in."""
    if foretold["allowed"]:
        assert happened.status_code in {201, 400}, happened.text
        return
    problem = happened.json()
    refusal = foretold["refusal"]
    assert happened.status_code in {403, 404}, happened.text
    assert (problem["code"], problem["detail"]) == (refusal["code"], refusal["detail"])
    assert problem.get("paths", []) == refusal["paths"]


@pytest.mark.parametrize("name", RULES)
async def test_policy_decides_a_trial_as_it_decides_a_call(world, both, name):
    """Otherwise: a rule is found good in a trial, and then lets the wrong calls pass."""
    await sync_to_async(write)(world.company, name)
    for caller, given in product(CALLERS, INPUTS):
        agree(*await both(caller, given))


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        (Agent, {"enabled": False}),
        (Connection, {"enabled": False}),
        (Tool, {"enabled": False}),
        (Tool, {"sync_status": "pending_review"}),
        (Tool, {"sync_status": "stale"}),
        (Tool, {"definition": None}),
    ],
)
@pytest.mark.parametrize("name", ["allow", "nothing"])
async def test_facts_outside_policy_are_foretold(world, both, model, facts, name):
    """Otherwise: a trial says yes where every call is refused."""
    await sync_to_async(write)(world.company, name)
    await sync_to_async(model.objects.update)(**facts)
    for caller in CALLERS:
        foretold, happened = await both(caller, {"text": "hello"})
        assert not foretold["allowed"]
        agree(foretold, happened)


async def test_a_tool_that_is_not_there_is_foretold(world, both):
    """Otherwise: a slip of the pen in a target looks like a denial."""
    await sync_to_async(write)(world.company, "allow")
    foretold, happened = await both("agent", {}, tool="tests/ehco")
    assert foretold["refusal"]["code"] == "tool_unknown"
    agree(foretold, happened)
