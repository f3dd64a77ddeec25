"""Row-level security on PostgreSQL, made from the models after every migration.

Every model with an organization gets the same policy, so that a new table cannot be forgotten. The
role `app` sees and writes rows of the organizations in a transaction's list (`tenancy.scope`);
`ledger` adds to the record of any organization. Partitions are reached through their parents only.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction

from agentxsuite.control.storage.grants import GRANTS, Grant
from agentxsuite.control.storage.partitions import ADD_PARTITIONS, FIRST_ID
from agentxsuite.control.storage.patience import patiently
from agentxsuite.control.storage.standing import (
    is_secured,
    mark,
    policies_of,
    privileges,
    privileges_in,
)
from agentxsuite.control.tenancy.scope import INSTALLATION

VISIBLE: Final = "ANY ((SELECT agentxsuite_organizations())::uuid[])"
SYSTEM_LOG: Final = f"'{INSTALLATION}' = {VISIBLE}"
# Nobody runs what is the owner's but who is named below: a trigger's body, on a table of his own,
# would change what he may not. Bodies that run as the owner look for tables in one schema, so that
# nobody can slip in a temporary one. Those of triggers are made by migrations.
PINNED: Final = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT oid::regprocedure AS routine, prosecdef AS as_owner FROM pg_proc
    WHERE pronamespace = '{schema}'::regnamespace AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
      AND deptype = 'e') LOOP
    EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', one.routine);
    IF one.as_owner THEN
      EXECUTE format('ALTER ROUTINE %s SET search_path = {schema}, pg_temp', one.routine);
    END IF;
  END LOOP;
END $$"""
NOTHING_TEMPORARY: Final = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
    WHERE datname = current_database() AND grantee = 0 AND privilege_type = 'TEMPORARY') THEN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  END IF;
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
    NOTHING_TEMPORARY,
)
OF_APP: Final = (
    "agentxsuite_organizations()",
    "agentxsuite_organizations_of(uuid)",
    "agentxsuite_inviting(text)",
    "agentxsuite_add_partitions(text,integer)",
)


class Roles(NamedTuple):
    """The two roles that walls are raised against, by their names."""

    app: str
    ledger: str


def raise_walls(app: str, ledger: str) -> None:
    """Make functions, grants and policies what they must be, as the owner, table by table.

    What is so already is left alone and locks nothing. Raises Busy for a table in constant use.
    """
    roles = Roles(app, ledger)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        for statement in surroundings(quoted(cursor.fetchone()[0]), quoted(app)):
            cursor.execute(statement)
    for model in all_models():
        patiently(model._meta.db_table, partial(raise_wall, model, roles))


def surroundings(schema: str, app: str) -> Iterator[str]:
    """Yield what concerns no table of ours, for names that are quoted already."""
    yield from (function.replace("{schema}", schema) for function in FUNCTIONS)
    for function in OF_APP:
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {app}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {app}"
    yield f"GRANT SELECT ON django_migrations TO {app}"


def raise_wall(model: type[models.Model], roles: Roles) -> None:
    """Make the grants and policies of one table what they must be, where they are not."""
    with connection.cursor() as cursor:
        for statement in (*grants(model, roles), *security(model)):
            cursor.execute(statement)
        for name, clauses in policies(model, *map(quoted, roles)):
            raise_policy(cursor, quoted(model._meta.db_table), name, clauses)


def grants(model: type[models.Model], roles: Roles) -> Iterator[str]:
    """Yield what turns the rights that both roles and the public have into those they must have."""
    table, grant = quoted(model._meta.db_table), GRANTS.get(model._meta.label, Grant())
    wanted = dict(zip(roles, grant, strict=True))
    concerned = {"PUBLIC", *roles}
    if {one for one in privileges(table) if one.role in concerned} == privileges_in(wanted):
        return
    yield f"REVOKE ALL ON {table} FROM PUBLIC, {quoted(roles.app)}, {quoted(roles.ledger)}"
    for role, words in wanted.items():
        if words:
            yield f"GRANT {words} ON {table} TO {quoted(role)}"


def security(model: type[models.Model]) -> Iterator[str]:
    """Yield what turns row-level security on, for a table of tenants where it is off."""
    table = quoted(model._meta.db_table)
    if owner_column(model) and not is_secured(table):
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"


def policies(model: type[models.Model], app: str, ledger: str) -> Iterator[tuple[str, str]]:
    """Yield names and clauses of a table's policies; none for a table of no tenant's."""
    owner = owner_column(model)
    if owner is None:
        return
    own = f"{owner} = {VISIBLE}"
    added = own
    if model._meta.label == "audit.AuditEvent":  # the installation's have none; all may add to them
        added, own = f"{own} OR {owner} IS NULL", f"{own} OR ({owner} IS NULL AND {SYSTEM_LOG})"
    yield "own_rows", f"TO {app} USING ({own}) WITH CHECK ({added})"
    if GRANTS.get(model._meta.label, Grant()).ledger:
        yield "record", f"TO {ledger} USING (true) WITH CHECK (true)"
    if model._meta.label == "runs.Run":
        running = "status IN ('pending', 'running')"
        guard = f"AS RESTRICTIVE FOR UPDATE TO {ledger} USING ({running}) WITH CHECK (true)"
        yield "ended_once", guard


def raise_policy(cursor: Any, table: str, name: str, clauses: str) -> None:
    """Put a policy in the place of one that has its name, unless that is the same."""
    there = policies_of(table).get(name)
    if there and there.mark == mark(clauses, there.meaning):
        return
    cursor.execute(f"DROP POLICY IF EXISTS {name} ON {table}")
    cursor.execute(f"CREATE POLICY {name} ON {table} {clauses}")
    made = mark(clauses, policies_of(table)[name].meaning)
    cursor.execute(f"COMMENT ON POLICY {name} ON {table} IS '{made}'")


def owner_column(model: type[models.Model]) -> str | None:
    """Return the column that says whose a row is: a tenant's, or one caller's; else None."""
    if model._meta.label == "tenancy.Organization":
        return "id"
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return columns.get("organization", columns.get("holder"))


def all_models() -> list[type[models.Model]]:
    """Return every model that has a table; a migration back leaves some without."""
    tables = set(connection.introspection.table_names())
    known = apps.get_models(include_auto_created=True)
    return [model for model in known if model._meta.db_table in tables]


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return connection.ops.quote_name(name)
