"""A snapshot that is brought up to date says what one read from nothing says, for less."""

from dataclasses import fields, replace

import pytest
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.secretstore.services import rotate, store
from agentxsuite.gateway.orm import view
from agentxsuite.gateway.orm.snapshot import load_snapshot
from tests.cast import MADE_BY_HAND
from tests.unit.control.tenancy import rows
from tests.unit.control.tenancy.rows import change, twin

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

NOW = timezone.now()
NEW_AGENT = {"name": "n", "slug": "n", "service_account": None, "inbound_auth_method": "none"}
NEW_SERVER = {"name": "n", "slug": "n"}
NEW_TOOL = {"name": "pdf/n", "upstream_name": "n"}
SCHEMA = {"type": "object"}


def changing(name, /, **values):
    return lambda its: change(getattr(its, name), **values)


def adding(name, /, **values):
    return lambda its: twin(getattr(its, name), **values)


def removing(name):
    return lambda its: getattr(its, name).delete()


CHANGES = {
    "an environment has another type": changing("environment", type="dev"),
    "a person leaves": changing("user", is_active=False),
    "a person has another address": changing("user", email="new@example.org"),
    "a member has another role": changing("membership", role="operator"),
    "a member is removed": removing("membership"),
    "an agent is disabled": changing("agent", enabled=False),
    "an agent is made": adding("agent", **NEW_AGENT),
    "an agent is deleted": changing("agent", deleted_at=NOW),
    "an agent is purged": removing("idle"),
    "an agent moves": lambda its: change(its.idle, environment=its.stage),
    "a service account is disabled": changing("service_account", enabled=False),
    "an account of nobody is disabled": changing("spare_account", enabled=False),
    "a server is disabled": changing("connection", enabled=False),
    "a server is deleted": changing("connection", deleted_at=NOW),
    "a server has another address": changing("connection", endpoint="https://n.example/"),
    "a server has another name for policies": changing("connection", slug="new"),
    "a server needs what it has not": changing("connection", auth_method="bearer"),
    "a server gets a credential": lambda its: change(
        its.connection, auth_method="bearer", secret_ref=its.credential.ref
    ),
    "a server is added": adding("connection", **NEW_SERVER),
    "a tool is let out of quarantine": changing("tool", sync_status="synced"),
    "a tool is added": adding("tool", **NEW_TOOL),
    "a tool is deleted": changing("tool", deleted_at=NOW),
    "a tool gets a definition": lambda its: change(
        its.tool, definition=its.definition, schema_json=SCHEMA
    ),
    "a definition says something else": changing("other_definition", definition={"name": "n"}),
    "a policy is made": adding("policy", name="n"),
    "a policy is switched off": changing("policy", is_active=False),
    "a policy is of one environment": lambda its: change(its.policy, environment=its.stage),
    "a rule is edited and its version is not": changing("rule", target="tool:pdf/*"),
    "a rule is added": adding("rule"),
    "a rule is removed": removing("rule"),
    "a rule becomes another policy's": lambda its: change(its.rule, policy=its.local_policy),
    "a rule is damaged": changing("rule", action="tool invoke"),
    "a binding is edited": changing("binding", priority=9),
    "a binding is removed": removing("binding"),
    "a secret is rotated": lambda its: rotate(MADE_BY_HAND, its.used, "new"),
    "a secret of nobody is rotated": lambda its: rotate(MADE_BY_HAND, its.credential, "new"),
    "a data key is lost": lambda its: change(its.used_key, wrapped=b"lost"),
    "nothing that is read": changing("connection", status="fail"),
}


@pytest.fixture
def its(db, master_keys):
    """A tenant whose second server has a credential."""
    its = rows.tenant("acme")
    its.idle = twin(its.agent, name="Idle", slug="idle", service_account=its.spare_account)
    its.account.delete()
    its.secret_version.delete()
    its.data_key.delete()  # no key has ever wrapped it
    its.used, its.credential = (
        store(MADE_BY_HAND, its.organization, its.environment, word, word)
        for word in ("used", "spare")
    )
    its.used_key = its.used.versions.get().data_key
    its.server = twin(
        its.connection, name="Pay", slug="pay",
        auth_method="bearer", secret_ref=its.used.ref,
    )  # fmt: skip
    its.paying = twin(
        its.tool, connection=its.server, name="pay/it", upstream_name="it", definition=None
    )
    change(its.other_tool, definition=its.other_definition, schema_json=SCHEMA)
    return its


@pytest.fixture
def load(its):
    def load(previous=None):
        return load_snapshot(str(its.organization.id), str(its.environment.id), previous)

    return load


def told(snapshot):
    """What a snapshot says, in values that can be compared."""
    said = {each.name: getattr(snapshot, each.name) for each in fields(snapshot)}
    policies = said["policies"]
    said["policies"] = policies and (policies.snapshot_hash, ranked(policies.index))
    said["tools"] = {
        name: (replace(tool, schema=None), tool.schema and tool.schema.source)
        for name, tool in snapshot.tools.items()
    }
    for name in ("by_name", "by_mcp_name", "by_upstream"):
        said[name] = {key: tool.id for key, tool in said[name].items()}
    return said


def ranked(index):
    return {
        scope: {key: [(rank, rule.rule) for rank, rule in filed] for key, filed in shelf.items()}
        for scope, shelf in index.items()
    }


@pytest.mark.parametrize("name", CHANGES)
def test_an_edit_is_seen_as_if_all_had_been_read_anew(name, its, load):
    """Something that an administrator has changed goes on as it was, on some workers."""
    before = load()
    CHANGES[name](its)
    after, anew = load(before), load()
    assert told(after) == told(anew)
    assert after.revision > before.revision or name == "nothing that is read"
    # what was broken is mended, what was hidden comes back
    for row in (its.connection, its.server, its.tool, its.rule, its.policy):
        if type(row).objects.filter(pk=row.pk).exists():
            row.save()
    assert told(load(after)) == told(load())


def test_a_change_takes_over_what_it_leaves_alone(its, load):
    """One edit a second makes every worker read ten thousand rules a second."""
    before = load()
    change(its.rule, target="tool:pdf/*")
    after = load(before)
    same = {
        each.name
        for each in fields(after)
        if getattr(after, each.name) is getattr(before, each.name)
    }
    assert same >= {"agents", "members", "connections", "tools", "by_name", "by_upstream"}
    local = str(its.local_policy.id)
    assert after.policies.compiled[local] is before.policies.compiled[local]
    change(its.tool, enabled=False)
    last = load(after)
    assert last.policies is after.policies
    other = str(its.other_tool.id)
    assert last.tools[other] is before.tools[other]


def test_rotating_a_secret_opens_no_other(its, load):
    """Every rotation decrypts all credentials of the environment again."""
    before = load()
    rotate(MADE_BY_HAND, its.used, "new")
    after = load(before)
    server, other = str(its.server.id), str(its.connection.id)
    assert after.connections[server].endpoint.headers == (("Authorization", "Bearer new"),)
    assert after.connections[other] is before.connections[other]
    assert after.tools[str(its.paying.id)].connection is after.connections[server]
    assert after.tools[str(its.tool.id)] is before.tools[str(its.tool.id)]


def test_a_schema_is_compiled_once(its, load):
    """Quarantining a thousand tools compiles a thousand schemas, on every worker."""
    before = load()
    change(its.other_tool, sync_status="pending_review")
    tool = str(its.other_tool.id)
    after = load(before)
    assert after.tools[tool].schema is before.tools[tool].schema
    change(its.other_tool, schema_json={"type": "object", "required": ["x"]})
    assert load(after).tools[tool].schema.source["required"] == ["x"]


def test_a_credential_that_could_not_be_read_is_tried_again(its, load, settings, tmp_path):
    """A mended key file helps no server before the next restart."""
    there, settings.SECRET_KEYS = settings.SECRET_KEYS, tmp_path / "missing"
    before = load()
    server = str(its.server.id)
    assert before.connections[server].endpoint is None
    settings.SECRET_KEYS = there
    change(its.agent, enabled=False)
    assert load(before).connections[server].endpoint is not None


def test_too_many_changes_are_read_as_everything(its, load, monkeypatch):
    """An import of thousands of things makes a question that the database refuses."""
    monkeypatch.setattr(view, "MANY", 1)
    before = load()
    for rule in (its.tool, its.other_tool):
        change(rule, enabled=False)
    after = load(before)
    assert told(after) == told(load())
    assert after.agents is not before.agents


def test_an_environment_that_has_gone_is_nothing(its, load):
    """A deleted environment keeps answering on workers that knew it."""
    before = load()
    change(its.environment, deleted_at=NOW)
    assert load(before) is None


def test_a_snapshot_is_read_again_after_the_connection_was_lost(its, load):
    """A restart of the database costs every worker its first call."""
    before = load()
    if connection.vendor == "postgresql":
        connection.connection.close()
    assert told(load(before)) == told(before)


def test_an_error_leaves_the_connection_as_it_was(its, load):
    """After one failed load, a worker's thread can never write or read again."""
    with pytest.raises(RuntimeError), view.one_view(str(its.organization.id)):
        raise RuntimeError
    PolicyRule.objects.update(message="still writable")
    assert load() is not None


@pytest.mark.database(only="postgres")
def test_a_connection_that_breaks_while_it_is_read_is_replaced(its, load):
    """A database that restarts under a load leaves a worker without facts for good."""

    def broken():
        with view.one_view(str(its.organization.id)):
            connection.connection.close()
            PolicyRule.objects.count()

    with pytest.raises(DatabaseError):
        broken()
    assert load() is not None
