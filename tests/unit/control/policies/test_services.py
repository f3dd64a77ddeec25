from dataclasses import replace
from uuid import uuid4

import pytest

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool
from agentxsuite.control.policies import parts, services
from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft, draft_of
from agentxsuite.control.policies.models import Policy, PolicyVersion
from agentxsuite.control.problems import Conflict, Invalid, NotFound
from agentxsuite.control.tenancy.models import User

pytestmark = pytest.mark.database

READ = RuleDraft("tool.invoke", "tool:pdf/*", "allow", name="read")
OPEN = RuleDraft("tool.*", "tool:*", "allow")
ALL = RuleDraft("*", "*", "allow")


@pytest.fixture
def everybody(acme):
    return BindingDraft("org", str(acme.id))


@pytest.fixture
def draft(everybody):
    return PolicyDraft("reading", (READ,), (everybody,))


@pytest.fixture
def policy(actor, acme, draft):
    return services.create_policy(actor, acme, draft)


@pytest.fixture
def tool(acme, prod):
    connection = Connection.objects.create(
        organization=acme, environment=prod, name="Pdf", slug="pdf", endpoint="https://x.example"
    )
    return Tool.objects.create(
        organization=acme,
        environment=prod,
        connection=connection,
        name="pdf/read",
        upstream_name="read",
    )


@pytest.fixture
def agent(acme, prod):
    return Agent.objects.create(
        organization=acme, environment=prod, name="A", slug="a", inbound_auth_method="none"
    )


@pytest.fixture
def refused(actor, acme):
    """Where the faults of a draft are that must not be written."""

    def refused(draft, organization=acme):
        with pytest.raises(Invalid) as problem:
            services.create_policy(actor, organization, draft)
        assert not Policy.objects.exists()
        assert all(fault["message"] for fault in problem.value.errors)
        return [fault["path"] for fault in problem.value.errors]

    return refused


def test_a_policy_is_written_whole(policy, acme, everybody):
    """A part of what an administrator wrote would not be enforced."""
    assert (policy.version, policy.is_active, policy.name) == (1, True, "reading")
    rule = policy.rules.get()
    assert draft_of(policy) == PolicyDraft("reading", (replace(READ, id=rule.id),), (everybody,))
    assert policy.rules_json["rules"][0]["id"] == str(rule.id)
    assert policy.rules_json["bindings"] == [
        {"scope_type": "org", "scope_id": str(acme.id), "priority": 0}
    ]


def test_each_write_is_a_version_that_stays_readable(policy, actor, draft, alice):
    """Nobody could tell what was in force when a call was made."""
    changed = replace(draft, name="writing", rules=(replace(READ, target="tool:pdf/write"),))
    services.replace_policy(actor, policy, changed)
    versions = PolicyVersion.objects.filter(policy=policy).order_by("number")
    assert [version.number for version in versions] == [1, 2]
    assert [version.rules_json["name"] for version in versions] == ["reading", "writing"]
    assert versions[0].rules_json == policy.rules_json
    assert {version.created_by for version in versions} == {alice}


def test_each_write_is_in_the_audit(policy, actor, draft):
    """A change of who may do what would leave no trace."""
    services.replace_policy(actor, policy, draft)  # says nothing new
    services.replace_policy(actor, policy, replace(draft, is_active=False))
    events = AuditEvent.objects.order_by("id")
    assert [(e.event_type, e.event_data["version"], e.subject) for e in events] == [
        ("policy_created", 1, actor.subject),
        ("policy_changed", 2, actor.subject),
    ]
    assert {event.target for event in events} == {f"policy:{policy.id}"}


def test_a_replacement_leaves_nothing_of_before(policy, actor, draft, prod):
    """A rule that was taken out would go on deciding."""
    empty = replace(draft, rules=(), bindings=(), environment=prod, is_active=False)
    replaced = services.replace_policy(actor, policy, empty)
    assert draft_of(replaced) == empty
    assert policies_of(prod) == []


def test_a_refused_replacement_changes_nothing(policy, actor, draft):
    """Half of a bad policy would be in force."""
    bad = replace(draft, name="bad", rules=(READ, replace(READ, action="no spaces")))
    with pytest.raises(Invalid):
        services.replace_policy(actor, policy, bad)
    policy.refresh_from_db()
    assert (policy.name, policy.version, policy.rules.count()) == ("reading", 1, 1)
    assert PolicyVersion.objects.count() == 1


def test_an_edited_rule_keeps_its_identity(policy, actor):
    """The audit could not tell that two decisions were made by the same rule."""
    before = draft_of(policy)
    edited = replace(before.rules[0], message="Ask finance.")
    services.replace_policy(actor, policy, replace(before, rules=(OPEN, edited)))
    assert policy.rules.get(id=edited.id).message == "Ask finance."
    assert [rule.action for rule in policy.rules.all()] == ["tool.*", "tool.invoke"]


def test_a_rule_cannot_take_another_ones_identity(policy, actor, acme, draft, refused):
    """A policy could take away a rule of another policy, even of another tenant."""
    own = policy.rules.get().id
    for ids in ([uuid4()], [own, own]):
        rules = tuple(replace(READ, id=each) for each in ids)
        with pytest.raises(Invalid) as problem:
            services.replace_policy(actor, policy, replace(draft, rules=rules))
        assert problem.value.errors[-1]["path"] == f"/rules/{len(ids) - 1}/id"
    with pytest.raises(Invalid):
        services.create_policy(actor, acme, PolicyDraft("thief", (replace(READ, id=own),)))
    assert policy.rules.get().id == own


def test_a_lost_update_is_refused(policy, actor, draft):
    """Two administrators would undo each other's changes without noticing."""
    services.replace_policy(actor, policy, replace(draft, name="first"), expected_version=1)
    with pytest.raises(services.Stale) as problem:
        services.replace_policy(actor, policy, replace(draft, name="second"), expected_version=1)
    assert problem.value.status == 412
    policy.refresh_from_db()
    assert policy.name == "first"


def test_a_deleted_policy_cannot_be_written(policy, actor, draft):
    """A policy that somebody took out of force could come back by a late edit."""
    Policy.objects.filter(id=policy.id).update(deleted_at=policy.created_at)
    with pytest.raises(NotFound):
        services.replace_policy(actor, policy, draft)


def test_names_are_unique_among_the_living(policy, actor, acme, globex, draft):
    """Nobody could tell which of two policies a decision names."""
    with pytest.raises(Conflict):
        services.create_policy(actor, acme, draft)
    other = services.create_policy(actor, acme, replace(draft, name="other"))
    with pytest.raises(Conflict):
        services.replace_policy(actor, other, draft)
    services.create_policy(actor, globex, replace(draft, bindings=()))
    Policy.objects.filter(id=policy.id).update(deleted_at=policy.created_at)
    services.create_policy(actor, acme, draft)


def test_a_rule_is_added_where_it_should_stand(policy, actor):
    """A rule added later would name another rule as the one that determined a decision."""
    last = parts.add_rule(actor, policy, replace(READ, name="last"))
    first = parts.add_rule(actor, policy, replace(READ, name="first"), position=0)
    assert [rule.name for rule in policy.rules.all()] == ["first", "read", "last"]
    assert (first.position, last.position) == (0, 1)  # as it was when each was added
    policy.refresh_from_db()
    assert policy.version == 3


def test_bad_rules_are_told_by_field(refused, draft):
    """An administrator would have to guess which of many rules is wrong."""
    bad = (
        READ,
        replace(READ, action="tool invoke"),
        replace(READ, target="pdf/read", effect="maybe"),
        replace(READ, conditions={"path": "nowhere.at", "op": "eq", "value": 1}),
        replace(READ, terms={"timeout": 0}),
        replace(READ, terms={"approval": ["alice"]}),
        replace(READ, effect="deny", terms={"timeout": 5}),
    )
    assert refused(replace(draft, rules=bad)) == [
        "/rules/1/action",
        "/rules/2/target",
        "/rules/2/effect",
        "/rules/3/conditions",
        "/rules/4/terms/timeout",
        "/rules/5/terms/approval",
        "/rules/6/terms",
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "/name"),
        ({"name": "n" * 201}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"rules": (replace(READ, name="n" * 201),)}, "/rules/0/name"),
        ({"rules": (replace(READ, message="m" * 2001),)}, "/rules/0/message"),
        ({"rules": (replace(READ, message="\ud800"),)}, "/rules/0/message"),
        ({"rules": (replace(READ, target="tool:" + "a" * 1020),)}, "/rules/0/target"),
        (
            {"rules": (replace(READ, conditions={"path": "input.a", "op": "eq", "value": "a\0"}),)},
            "/rules/0/conditions",
        ),
        ({"rules": (replace(READ, terms={"redact": ["input.\ud800"]}),)}, "/rules/0/terms"),
    ],
)
def test_what_no_database_holds_is_refused(refused, draft, change, path):
    """A text that PostgreSQL cannot hold would end in a server error."""
    assert path in refused(replace(draft, **change))


def test_a_policy_has_a_size(refused, draft):
    """One tenant's policy could slow down every decision of its environment."""
    assert refused(replace(draft, rules=(READ,) * 501)) == ["/rules"]
    many = tuple(BindingDraft("resource_ns", f"n{number}") for number in range(501))
    assert refused(replace(draft, bindings=many)) == ["/bindings"]


def test_five_hundred_rules_are_written(actor, acme, draft):
    """A large policy that is allowed could not be stored."""
    policy = services.create_policy(actor, acme, replace(draft, rules=(READ,) * 500))
    assert policy.rules.count() == 500


def test_every_kind_of_scope_can_be_bound(actor, acme, prod, agent, tool, alice):
    """A policy could not be given to whom it is meant for."""
    bindings = (
        BindingDraft("org", str(acme.id).upper()),
        BindingDraft("env", prod.id.hex),
        BindingDraft("agent", str(agent.id)),
        BindingDraft("tool", str(tool.id)),
        BindingDraft("user", str(alice.id)),
        BindingDraft("role", "viewer"),
        BindingDraft("resource_ns", "finance/2026"),
    )
    for environment in (None, prod):
        draft = PolicyDraft(f"of {environment}", (READ,), bindings, environment)
        policy = services.create_policy(actor, acme, draft)
        stored = {binding.scope_type: binding.scope_id for binding in policy.bindings.all()}
        assert stored["org"] == str(acme.id)
        assert stored["env"] == str(prod.id)
        assert len(stored) == 7


@pytest.mark.parametrize("scope_type", ["org", "env", "agent", "tool", "user"])
@pytest.mark.parametrize("scope_id", [str(uuid4()), "not-an-id", ""])
def test_a_scope_that_is_not_there_is_refused(refused, draft, scope_type, scope_id):
    """A binding with a slip of the pen would never apply, and nobody would know."""
    paths = refused(replace(draft, bindings=(BindingDraft(scope_type, scope_id),)))
    assert "/bindings/0/scope_id" in paths


def test_other_scopes_are_refused_too(refused, draft):
    """As above, for scopes that are not ids."""
    bad = (
        BindingDraft("role", "king"),
        BindingDraft("resource_ns", "a/*"),
        BindingDraft("planet", "mars"),
        BindingDraft("role", "admin", 2**31),
        BindingDraft("role", "owner"),
        BindingDraft("role", "owner"),
    )
    assert sorted(refused(replace(draft, bindings=bad))) == [
        "/bindings/0/scope_id",
        "/bindings/1",
        "/bindings/2",
        "/bindings/3/priority",
        "/bindings/4",
        "/bindings/5",
    ]


def test_foreign_things_do_not_exist(refused, draft, globex, agent, tool, alice):
    """Another tenant's agents could be found out by trying to bind to them."""
    for binding in (
        BindingDraft("agent", str(agent.id)),
        BindingDraft("tool", str(tool.id)),
        BindingDraft("user", str(alice.id)),
    ):
        bound = replace(draft, bindings=(binding,))
        assert refused(bound, globex) == ["/bindings/0/scope_id"]


def test_foreign_places_do_not_exist(refused, draft, globex, globex_prod):
    """A policy would reach into another tenant."""
    foreign = User.objects.create_user("mallory@globex.example")
    for binding in (
        BindingDraft("org", str(globex.id)),
        BindingDraft("env", str(globex_prod.id)),
        BindingDraft("user", str(foreign.id)),
    ):
        assert refused(replace(draft, bindings=(binding,))) == ["/bindings/0/scope_id"]
    assert refused(replace(draft, environment=globex_prod)) == ["/environment"]


def test_a_policy_of_one_environment_is_bound_within_it(refused, draft, prod, dev, agent, tool):
    """A binding that can never apply would look as if it did."""
    bindings = (
        BindingDraft("env", str(prod.id)),
        BindingDraft("agent", str(agent.id)),
        BindingDraft("tool", str(tool.id)),
    )
    assert len(refused(replace(draft, bindings=bindings, environment=dev))) == 3


def test_what_is_bound_already_may_be_gone(actor, acme, agent, draft):
    """After an agent was deleted no policy that names it could be edited any more."""
    bound = replace(draft, bindings=(BindingDraft("agent", str(agent.id)),))
    policy = services.create_policy(actor, acme, bound)
    Agent.objects.filter(id=agent.id).update(deleted_at=agent.created_at)
    parts.add_rule(actor, policy, READ)
    with pytest.raises(Invalid):
        services.create_policy(actor, acme, replace(bound, name="new"))


def test_everything_for_everybody_must_be_meant(refused, actor, acme, prod, draft):
    """A slip of the pen would open every tool to every agent."""
    for binding in (BindingDraft("org", str(acme.id)), BindingDraft("env", str(prod.id))):
        broad = replace(draft, rules=(READ, ALL), bindings=(binding,))
        assert refused(broad) == ["/acknowledge_broad"]
    meant = replace(broad, acknowledge_broad=True)
    policy = services.create_policy(actor, acme, meant)
    parts.add_rule(actor, policy, READ)  # it was meant already
    assert policy.rules.count() == 3


@pytest.mark.parametrize(
    "rule",
    [
        replace(ALL, effect="deny"),
        replace(ALL, action="tool.*"),
        replace(ALL, target="tool:*"),
        replace(ALL, conditions={"path": "input.a", "op": "eq", "value": 1}),
    ],
)
def test_narrower_rules_need_no_such_word(actor, acme, draft, rule):
    """Administrators would learn to acknowledge without reading."""
    assert services.create_policy(actor, acme, replace(draft, rules=(rule,))).rules.count() == 1


def test_a_broad_rule_cannot_be_added_by_itself(policy, actor):
    """The warning would be passed by writing in two steps."""
    with pytest.raises(Invalid) as problem:
        parts.add_rule(actor, policy, ALL)
    assert problem.value.code == "broad_allow"
    parts.add_rule(actor, policy, ALL, proviso=parts.Proviso(broad=True))
