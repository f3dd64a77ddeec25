"""The second wall: what a query reaches that nobody narrowed to its tenant."""

# ruff: noqa: S608 - the names of tables are our own

from itertools import chain
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from django.db.models import UUIDField

from agentxsuite.control.storage.grants import GRANTS, Grant
from agentxsuite.control.storage.roles import conninfo
from agentxsuite.control.storage.walls import OF_APP, all_models, owner_column
from agentxsuite.control.tenancy.models import Organization, Revision
from agentxsuite.control.tenancy.scope import admit, seeing
from tests.unit.control.tenancy.rows import copied

pytestmark = [pytest.mark.database(only="postgres"), pytest.mark.django_db]
NEW = {"name": "n", "slug": "n", "ref": "sec_n", "jti": "n", "key": "n", "number": 9}
NEW |= {"upstream_name": "n", "subject": "n", "scope_id": "n", "service_account": None}
NEW |= {"inbound_auth_method": "none", "email": "n@n.example", "digest": "n", "code": "n"}
NEW |= {"token_checksum": "n", "source_refresh_token": None, "access_token": None}


def tenant_models():
    """Every model whose rows belong to somebody, found as migrations leave them."""
    models = [model for model in apps.get_models() if owner_column(model)]
    return {model._meta.label: model for model in models}


MODELS = tenant_models()

FORGE = "tests_forge(text)"  # by which tests write evidence
RUNNABLE = """
SELECT oid::regprocedure::text FROM pg_proc
WHERE proowner <> 10 AND has_function_privilege(oid, 'EXECUTE')
"""  # 10 is who made the cluster


@pytest.fixture
def theirs(tenant, stranger):
    """A row of the other tenant by model; the caller stands in `tenant`'s scope."""
    rows = {type(row): row for row in vars(stranger).values() if hasattr(row, "_meta")}
    with seeing([tenant.organization.id, tenant.user.id]):
        yield rows


def rights(model):
    return GRANTS.get(model._meta.label, Grant()).app


def test_every_table_of_a_tenant_is_known(theirs):
    """A new table stands open, and no test below looks at it."""
    assert len(MODELS) > 15
    assert set(MODELS.values()) <= set(theirs)


@pytest.mark.parametrize("label", MODELS)
def test_a_careless_read_finds_nothing_of_others(label, theirs):
    """One forgotten filter shows a tenant everybody else's rows."""
    model = MODELS[label]
    found = model._base_manager.all()
    assert found
    assert theirs[model].pk not in {row.pk for row in found}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {model._meta.db_table}")
        assert cursor.fetchone() == (len(found),)


@pytest.mark.parametrize("label", MODELS)
def test_without_a_scope_there_are_no_rows_at_all(label, theirs):
    """Code that never passed the tenant door reads all tenants' rows."""
    admit([])
    assert not MODELS[label]._base_manager.exists()


@pytest.mark.parametrize("label", MODELS)
def test_a_careless_write_changes_nothing_of_others(label, theirs):
    """One forgotten filter lets a tenant change or delete everybody else's rows."""
    row = theirs[MODELS[label]]
    table, key = row._meta.db_table, row._meta.pk.column
    for change in (f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}"):
        assert written(f"{change} WHERE {key} = %s", row.pk) == 0


def written(statement, *values):
    """The number of rows that a statement changes; none when it may not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.rowcount
    except ProgrammingError as denied:
        return 0 if "permission denied" in str(denied) else -1


@pytest.mark.parametrize("label", MODELS)
def test_nothing_can_be_put_into_anothers_hands(label, theirs, tenant):
    """A tenant plants a policy, an agent or an event in somebody else's organization."""
    model = MODELS[label]
    fields = {field.name: field for field in model._meta.fields}
    new = {name: value for name, value in NEW.items() if name in fields}
    if isinstance(fields.get("subject"), UUIDField):
        new["subject"] = uuid4()
    with pytest.raises(ProgrammingError) as denied, transaction.atomic():
        copied(theirs[model], **new).save(force_insert=True)
    assert "row-level security" in str(denied.value) or "permission denied" in str(denied.value)
    assert ("INSERT" in rights(model)) == ("row-level security" in str(denied.value))


@pytest.mark.parametrize(
    "label", [name for name, model in MODELS.items() if model is not Organization]
)
def test_nothing_of_ones_own_can_be_given_away(label, theirs, tenant, stranger):
    """A row slips out of its tenant, together with what refers to it."""
    model = MODELS[label]
    with pytest.raises(ProgrammingError), transaction.atomic():
        model._base_manager.update(**{owner_column(model): stranger.organization.id})


def test_an_unnarrowed_query_through_another_table_finds_nothing_either(theirs, tenant):
    """A join or a subquery walks around the wall."""
    revision = Revision.objects.filter(environment__organization__name="globex")
    assert not revision.exists()


def ledger():
    return psycopg.connect(conninfo("ledger"), autocommit=True)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT input_json FROM runs_run",
        "SELECT output_json FROM runs_run",
        "SELECT event_data FROM audit_auditevent",
        "SELECT details FROM runs_runstep",
        "UPDATE runs_run SET input_json = '{}'",
        "UPDATE runs_run SET organization_id = id",
        "DELETE FROM runs_run",
        "UPDATE audit_auditevent SET decision = 'allow'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "SELECT FROM secretstore_secretversion",
        "SELECT FROM tenancy_user",
        "SELECT FROM knox_authtoken",
        "CREATE TABLE mine (id int)",
        "SELECT agentxsuite_organizations_of(gen_random_uuid())",
        "SELECT agentxsuite_inviting('')",
    ],
)
def test_whoever_writes_the_record_can_do_nothing_else(statement):
    """A flaw in the data plane reads payloads, or changes what is on record."""
    with ledger() as database, pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET decision = 'allow'",
        "DELETE FROM audit_auditevent",
        "DELETE FROM runs_run",
        "UPDATE runs_run SET status = 'succeeded'",
        "INSERT INTO runs_runstep DEFAULT VALUES",
        "UPDATE tenancy_revision SET value = 1",
        "TRUNCATE tenancy_organization",
        "ALTER TABLE tenancy_organization DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (id int)",
        "DROP TABLE runs_runstep",
    ],
)
def test_the_control_plane_cannot_rewrite_evidence(statement):
    """A flaw in the control plane removes its own traces."""
    with (
        psycopg.connect(conninfo("app"), autocommit=True) as database,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        database.execute(statement)


@pytest.mark.parametrize("role", ["app", "ledger"])
def test_nobody_makes_a_table_of_his_own(role):
    """A flaw puts a trigger of the owner's on a table that it made, and advances what it likes."""
    with (
        psycopg.connect(conninfo(role), autocommit=True) as database,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        database.execute("CREATE TEMPORARY TABLE mine (id int)")


@pytest.mark.parametrize(("role", "listed"), [("app", {*OF_APP, FORGE}), ("ledger", set())])
def test_nobody_runs_what_is_the_owners(role, listed):
    """A role changes rows with the owner's rights, by a function that nobody thought of."""
    with psycopg.connect(conninfo(role), autocommit=True) as database:
        found = database.execute(RUNNABLE).fetchall()
    assert {name for (name,) in found} == listed


def test_an_ended_run_stays_as_it_ended(tenant):
    """A late answer changes what an auditor has already read."""
    change = "UPDATE runs_run SET status = 'failed' WHERE status = 'succeeded'"
    with ledger() as database:
        assert database.execute(change).rowcount == 0


def test_nobody_may_touch_a_partition():
    """The wall stands around the table, and a partition is a way around it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree('runs_run') WHERE isleaf"
        )
        partitions = list(chain(*cursor.fetchall()))
    assert partitions
    for role in ("app", "ledger"):
        with psycopg.connect(conninfo(role), autocommit=True) as database:
            for partition in partitions:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    database.execute(f"SELECT id FROM {partition}")


def test_grants_name_tables_that_are_there():
    """A renamed table falls back to full rights for everybody."""
    assert set(GRANTS) <= {model._meta.label for model in all_models()}
