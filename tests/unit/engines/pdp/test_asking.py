"""How a question becomes a request, whoever asks it."""

from types import SimpleNamespace

import pytest

from agentxsuite.engines.pdp import UNKNOWN, Agent, Circumstances, Member, ask

AGENT = Agent(
    id="a1",
    name="Clerk",
    slug="clerk",
    mode="caller",
    enabled=True,
    connection=None,
    attributes={"kind": "agent", "id": "a1"},
)
MEMBER = Member("u1", "olga@acme.example", "operator")
PLACE = SimpleNamespace(organization="o1", environment="e1", attributes={"type": "prod"})
TOOL = SimpleNamespace(id="t1", attributes={"name": "pay/transfer"})
HOW = Circumstances("rest", "192.0.2.7", "agent_token", "pytest")


def asked(agent=AGENT, member=None, tool=TOOL, how=HOW, given=UNKNOWN):
    asker = SimpleNamespace(snapshot=PLACE, agent=agent, member=member)
    return ask(asker, "tool.invoke", "tool:pay/transfer", tool, how, given)


def test_a_question_carries_what_the_server_knows():
    """Otherwise: a condition looks at something else than what the call is."""
    request = asked(given={"amount": 5})
    assert (request.organization, request.environment) == ("o1", "e1")
    assert (request.agent, request.tool, request.user, request.roles) == ("a1", "t1", None, ())
    assert (request.action, request.target) == ("tool.invoke", "tool:pay/transfer")
    assert request.input == {"amount": 5}
    assert request.attributes == {
        "principal": {"kind": "agent", "id": "a1", "roles": [], "user": None},
        "env": {"type": "prod"},
        "tool": {"name": "pay/transfer"},
        "request": {
            "action": "tool.invoke",
            "target": "tool:pay/transfer",
            "door": "rest",
            "ip": "192.0.2.7",
        },
        "context": {"auth_method": "agent_token", "client": "pytest", "ip": "192.0.2.7"},
    }


@pytest.mark.parametrize(
    ("agent", "kind", "identifier"), [(AGENT, "agent", "a1"), (None, "user", "u1")]
)
def test_a_person_asks_alone_or_as_an_agent(agent, kind, identifier):
    """Otherwise: what is denied to a person passes when they run as an agent."""
    request = asked(agent=agent, member=MEMBER)
    principal = request.attributes["principal"]
    assert (principal["kind"], principal["id"]) == (kind, identifier)
    assert principal["roles"] == ["operator"]
    assert principal["user"] == {"id": "u1", "email": "olga@acme.example"}
    assert (request.agent, request.user) == (agent and "a1", "u1")
    assert request.roles == ("operator",)


def test_what_is_not_known_is_not_there():
    """Otherwise: a condition on an unknown address passes, or is judged as if it had failed."""
    request = asked(agent=None, tool=None, how=Circumstances(ip="192.0.2.7"))
    assert request.tool is None
    assert request.attributes["tool"] == {}
    assert request.attributes["context"] == {"ip": "192.0.2.7"}
    assert set(request.attributes["request"]) == {"action", "target", "ip"}
    assert request.attributes["principal"] == {
        "kind": "user",
        "id": None,
        "roles": [],
        "user": None,
    }
