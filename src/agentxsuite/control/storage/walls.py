"""Row-level security on PostgreSQL, made from the models after every migration.

Every model with an organization gets the same policy, so that a new table cannot be forgotten. The
role `app` sees and writes rows of the organizations in a transaction's list (`tenancy.scope`);
`ledger` adds to the record of any organization. Partitions are reached through their parents only.
"""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import connection, models, transaction

from agentxsuite.control.storage.grants import GRANTS, Grant
from agentxsuite.control.storage.partitions import ADD_PARTITIONS, FIRST_ID
from agentxsuite.control.tenancy.scope import INSTALLATION

VISIBLE: Final = "ANY ((SELECT agentxsuite_organizations())::uuid[])"
SYSTEM_LOG: Final = f"'{INSTALLATION}' = {VISIBLE}"
# Bodies that run as the owner look for tables in one schema, so that nobody can slip in a temporary
# one; those of triggers are made by migrations.
PINNED: Final = """
DO $$ DECLARE one regprocedure; BEGIN
  FOR one IN SELECT oid FROM pg_proc
    WHERE prosecdef AND pronamespace = '{schema}'::regnamespace LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = {schema}, pg_temp', one);
  END LOOP;
END $$"""
FUNCTIONS: Final = (
    """
CREATE OR REPLACE FUNCTION agentxsuite_organizations() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT string_to_array(nullif(current_setting('agentxsuite.organizations', true), ''), ',')
    ::uuid[] $$""",
    """
CREATE OR REPLACE FUNCTION agentxsuite_organizations_of(person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT coalesce(array_agg(organization_id), ARRAY[]::uuid[])
  FROM tenancy_organizationmembership WHERE user_id = person AND is_active $$""",
    """
CREATE OR REPLACE FUNCTION agentxsuite_inviting(code text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
  SELECT organization_id FROM tenancy_invitation WHERE digest = code $$""",
    FIRST_ID,
    ADD_PARTITIONS,
    PINNED,
)
OF_APP: Final = (
    "agentxsuite_organizations_of(uuid)",
    "agentxsuite_inviting(text)",
    "agentxsuite_add_partitions(integer)",
)


def raise_walls(app: str, ledger: str) -> None:
    """Make functions, grants and policies what they must be, as the owner; in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = quoted(cursor.fetchone()[0])
        for statement in statements(schema, quoted(app), quoted(ledger)):
            cursor.execute(statement)


def statements(schema: str, app: str, ledger: str) -> Iterator[str]:
    """Yield every FUNCTION, GRANT and POLICY, for names that are quoted already."""
    yield from (function.replace("{schema}", schema) for function in FUNCTIONS)
    for function in OF_APP:
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {app}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {app}"
    yield f"GRANT SELECT ON django_migrations TO {app}"
    for model in all_models():
        table, grant = quoted(model._meta.db_table), GRANTS.get(model._meta.label, Grant())
        yield f"REVOKE ALL ON {table} FROM PUBLIC, {app}, {ledger}"
        for role, privileges in ((app, grant.app), (ledger, grant.ledger)):
            if privileges:
                yield f"GRANT {privileges} ON {table} TO {role}"
        if owner := owner_column(model):
            yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
            yield from policies(model, owner, app, ledger)


def policies(model: type[models.Model], owner: str, app: str, ledger: str) -> Iterator[str]:
    """Yield the policies of one tenant table."""
    table = quoted(model._meta.db_table)
    own = f"{owner} = {VISIBLE}"
    added = own
    if model._meta.label == "audit.AuditEvent":  # the installation's have none; all may add to them
        added, own = f"{own} OR {owner} IS NULL", f"{own} OR ({owner} IS NULL AND {SYSTEM_LOG})"
    yield from policy(table, "own_rows", f"TO {app} USING ({own}) WITH CHECK ({added})")
    if GRANTS.get(model._meta.label, Grant()).ledger:
        yield from policy(table, "record", f"TO {ledger} USING (true) WITH CHECK (true)")
    if model._meta.label == "runs.Run":
        running = "status IN ('pending', 'running')"
        guard = f"AS RESTRICTIVE FOR UPDATE TO {ledger} USING ({running}) WITH CHECK (true)"
        yield from policy(table, "ended_once", guard)


def policy(table: str, name: str, clauses: str) -> Iterator[str]:
    """Yield what puts a policy in the place of one that has its name."""
    yield f"DROP POLICY IF EXISTS {name} ON {table}"
    yield f"CREATE POLICY {name} ON {table} {clauses}"


def owner_column(model: type[models.Model]) -> str | None:
    """Return the column that says whose a row is; None for a table of no tenant's."""
    if model._meta.label == "tenancy.Organization":
        return "id"
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return columns.get("organization")


def all_models() -> list[type[models.Model]]:
    """Return every model that has a table; a migration back leaves some without."""
    tables = set(connection.introspection.table_names())
    known = apps.get_models(include_auto_created=True)
    return [model for model in known if model._meta.db_table in tables]


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return connection.ops.quote_name(name)
