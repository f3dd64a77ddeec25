"""Whatever a decision reads advances the revision of the environments that it concerns."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.tenancy.models import Environment, Organization, Revision, Touched
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.control.tenancy.triggers import BumpsRevision
from tests.unit.control.tenancy.rows import change, twin
from tests.witness import forging

pytestmark = [pytest.mark.database, pytest.mark.django_db]

# model: the tenant's row of it, what makes a twin of it possible, a change, whom it concerns
PROD, ALL = ("environment",), ("environment", "stage")
NEW_AGENT = {"name": "n", "slug": "n", "service_account": None, "inbound_auth_method": "none"}
WATCHED = {
    "tenancy.Organization": ("organization", None, {"deleted_at": timezone.now()}, ALL),
    "tenancy.Environment": ("environment", None, {"type": "dev"}, PROD),
    "tenancy.User": ("user", None, {"is_active": False}, ALL),
    "tenancy.OrganizationMembership": ("membership", None, {"role": "auditor"}, ALL),
    "secretstore.DataKey": ("data_key", {"number": 2}, {"wrapped": b"new"}, ALL),
    "secretstore.Secret": ("secret", {"ref": "sec_n"}, {"purpose": "new"}, PROD),
    "secretstore.SecretVersion": ("secret_version", {"number": 2}, {"ciphertext": b"n"}, PROD),
    "catalog.Connection": ("connection", {"name": "n", "slug": "n"}, {"enabled": False}, PROD),
    "catalog.Account": ("account", None, {"created_at": timezone.now()}, PROD),
    "catalog.Tool": ("tool", {"name": "n", "upstream_name": "n"}, {"schema_json": {"a": 1}}, PROD),
    "catalog.ToolDefinition": (
        "definition", {"number": 2}, {"approved_at": timezone.now()}, PROD,
    ),
    "agents.ServiceAccount": (
        "service_account", {"name": "n", "subject": "n"}, {"scope_allowlist": ["tool.*"]}, PROD,
    ),
    "agents.Agent": ("agent", NEW_AGENT, {"tags": ["new"]}, PROD),
    "policies.Policy": ("policy", {"name": "n"}, {"is_active": False}, ALL),
    "policies.PolicyRule": ("rule", {}, {"conditions": {"all": []}}, ALL),
    "policies.PolicyBinding": ("binding", {"scope_type": "role"}, {"priority": 9}, ALL),
}  # fmt: skip
UNWATCHED = {
    "tenancy.Revision": "is the revision",
    "tenancy.Touched": "is written together with it",
    "tenancy.Invitation": "allows nothing before it has become a membership",
    "tenancy.KeptAnswer": "tells what was answered, and allows nothing",
    "agents.IssuedToken": "is read anew for every call",
    "policies.PolicyVersion": "tells the past; the rules are the truth",
    "runs.Run": "is written by calls, and read by none",
    "runs.RunStep": "is written by calls, and read by none",
    "runs.Worker": "says which process is alive, and allows nobody anything",
    "runs.IdempotencyKey": "is read anew for every call that brings one",
    "audit.AuditEvent": "is written by calls, and read by none",
    "oauth.Client": "is asked at the login, and by no call",
    "oauth.Machine": "is asked for a token, and by no call",
    "oauth.Grant": "ends by the rows of its tokens, which are read anew for every call",
    "oauth.Code": "is asked for a token, and by no call",
    "oauth.AccessToken": "tells of a token whose row is read anew for every call",
    "oauth.RefreshToken": "is asked for a token, and by no call",
}
UNREAD = {
    "connection": {
        "status": "fail",
        "status_reason": "refused",
        "server_info": {"name": "x"},
        "last_seen_at": timezone.now(),
    },
    "account": {"sealed": b"new", "renewing_until": timezone.now()},
    "tool": {"synced_at": timezone.now()},
    "user": {"password": "!", "last_login": timezone.now(), "first_name": "A", "last_name": "B"},
    "policy": {"updated_at": timezone.now()},
    "organization": {"updated_at": timezone.now()},
}


@pytest.fixture
def advanced(tenant, stranger, revision):
    """Do something; return the names of the tenant's environments whose revision went up."""

    def advanced(do):
        before = {name: revision(getattr(tenant, name)) for name in ALL}
        strangers = revision(stranger.environment)
        do()
        assert revision(stranger.environment) == strangers
        return tuple(name for name in ALL if revision(getattr(tenant, name)) > before[name])

    return advanced


def watches():
    """Every (app, migration's name, operation) that puts triggers on a table."""
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        for operation in migration.operations:
            if isinstance(operation, BumpsRevision):
                yield app, name, operation


def test_every_table_is_watched_or_need_not_be():
    """A new table's facts change and calls are still decided by the old ones."""
    ours = {model._meta.label for model in apps.get_models() if "agentxsuite" in model.__module__}
    watched = {apps.get_model(app, operation.model)._meta.label for app, _, operation in watches()}
    assert watched == set(WATCHED)
    assert ours == watched | set(UNWATCHED)


def test_every_column_of_a_watched_table_is_watched():
    """A column is added, and its changes do not reach the calls."""
    loader = MigrationLoader(None)
    for app, name, operation in watches():
        then = loader.project_state((app, name)).apps.get_model(app, operation.model)
        now = apps.get_model(app, operation.model)
        assert set(operation.facts(then)) == set(operation.facts(now)), operation.model


@pytest.mark.parametrize("model", WATCHED)
def test_a_change_reaches_the_environments_it_concerns(model, tenant, advanced):
    """A call is decided by what an administrator has already changed."""
    name, _, values, concerned = WATCHED[model]
    assert advanced(lambda: change(getattr(tenant, name), **values)) == concerned


@pytest.mark.parametrize("model", [model for model in WATCHED if WATCHED[model][1] is not None])
def test_a_birth_and_a_death_reach_them_too(model, tenant, advanced):
    """A new rule is not obeyed, or a deleted one still is."""
    name, values, _, concerned = WATCHED[model]
    twins = []
    assert advanced(lambda: twins.append(twin(getattr(tenant, name), **values))) == concerned
    assert advanced(twins[0].delete) == concerned


@pytest.mark.parametrize("name", UNREAD)
def test_what_no_decision_reads_concerns_nobody(name, tenant, advanced):
    """Every health check and every login makes all workers build their snapshots anew."""
    for column, value in UNREAD[name].items():
        assert advanced(lambda c=column, v=value: change(getattr(tenant, name), **{c: v})) == ()


def test_a_membership_counts_from_its_first_day_to_its_last(tenant, stranger, advanced):
    """Somebody who has left a company still calls its tools."""
    joined = []
    visit = {"user": stranger.user, "role": "operator"}
    assert advanced(lambda: joined.append(twin(tenant.membership, **visit))) == ALL
    assert advanced(joined[0].delete) == ALL


def test_a_row_that_moves_concerns_both_ends(tenant, advanced):
    """A policy is taken out of an environment, where it still decides."""
    assert advanced(lambda: change(tenant.local_policy, environment=tenant.stage)) == ALL


def test_a_policy_of_one_environment_concerns_it_alone(tenant, advanced):
    """One edit makes every other environment build its snapshot anew."""
    rule = twin(tenant.rule, policy=tenant.local_policy)
    assert advanced(lambda: change(rule, target="tool:pdf/*")) == PROD


def test_many_rules_are_stored_at_once(tenant, advanced):
    """A policy of many rules takes its environment's revision into the billions, or misses it."""
    rules = [
        PolicyRule(
            organization=tenant.organization,
            policy=tenant.policy,
            position=position,
            action="tool.invoke",
            target="tool:*",
            effect="allow",
        )
        for position in range(500)
    ]
    assert advanced(lambda: PolicyRule.objects.bulk_create(rules)) == ALL


# what is noted as touched: kind and subject; of all others the row itself, under its own name
NOTED = {
    "catalog.Account": ("connection", "connection"),
    "tenancy.Organization": ("environment", "organization"),
    "tenancy.User": ("member", "user"),
    "tenancy.OrganizationMembership": ("member", "user"),
    "secretstore.SecretVersion": ("secret", "secret"),
    "catalog.ToolDefinition": ("tool", "tool"),
    "policies.PolicyRule": ("policy", "policy"),
    "policies.PolicyBinding": ("policy", "policy"),
}


@pytest.mark.parametrize("model", WATCHED)
def test_what_changed_is_noted_at_its_revision(model, tenant):
    """A worker reads something else anew than what an administrator has changed."""
    name, _, values, concerned = WATCHED[model]
    kind, subject = NOTED.get(model, (name, name))
    for _ in range(2):  # the second change finds the note of the first
        change(getattr(tenant, name), **values)
        for place in concerned:
            environment = getattr(tenant, place)
            noted = Touched.objects.get(
                environment=environment, kind=kind, subject=getattr(tenant, subject).pk
            )
            assert noted.revision == Revision.objects.get(environment=environment).value
        values = {"created_at": timezone.now()}


@pytest.mark.database(only="postgres")
@pytest.mark.django_db(transaction=True)
def test_a_policy_that_changes_while_an_environment_is_made_reaches_it(tenant):
    """A deny that was written in a bad moment never counts in a new environment."""

    def edit():
        try:
            with changing(tenant.organization.id):
                change(tenant.policy, is_active=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with changing(tenant.organization.id), connection.cursor() as cursor:
            made = Environment.objects.create(organization=tenant.organization, name="new")
            edited, waiting = other.submit(edit), 0
            while not waiting and not edited.done():
                cursor.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                waiting = cursor.rowcount
        edited.result(10)
    assert Touched.objects.filter(environment=made, subject=tenant.policy.pk).exists()


def test_an_environment_starts_with_a_revision_and_takes_it_along(db):
    """A new environment answers no call, or a purged one cannot be purged."""
    environment = Environment.objects.create(
        organization=Organization.objects.create(name="acme"), name="prod"
    )
    assert Revision.objects.get(environment=environment).value >= 1
    with forging():  # which only a purge may do
        environment.delete()
    assert not Revision.objects.exists()


def test_models_are_what_migrations_say():
    """An upgrade does not bring the columns that the new version asks for."""
    told = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=told)
    assert told.getvalue() == "No changes detected\n"


@pytest.mark.django_db(transaction=True)
def test_a_foreign_reference_cannot_be_committed(tenant, stranger):
    """Rules that are checked at commit are, in truth, never checked."""
    with pytest.raises(IntegrityError), transaction.atomic():
        change(tenant.connection, secret_ref=stranger.secret.ref)
    tenant.connection.refresh_from_db()
    assert tenant.connection.secret_ref is None


@pytest.mark.django_db(transaction=True)
def test_migrations_go_back_and_forth(revision):
    """A failed upgrade cannot be taken back, or loses the triggers on its way."""
    call_command("migrate", "secretstore", "zero", verbosity=0)
    assert "catalog_tool" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    environment = Environment.objects.create(
        organization=Organization.objects.create(name="acme"), name="prod"
    )
    before = revision(environment)
    apps.get_model("secretstore", "Secret").objects.create(
        organization=environment.organization, environment=environment
    )
    assert revision(environment) == before + 1
