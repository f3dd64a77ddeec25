"""Migration operations for the triggers that advance `Revision` and note in `Touched` what changed.

Triggers, so that no code path can forget; one set of SQL for both databases, which differ only
in how a trigger sees the rows that changed: PostgreSQL once a statement, as tables, and SQLite
once a row. Where Django alters a table on SQLite it makes it anew and the old one's triggers go
with it: a later migration of a watched table repeats its `BumpsRevision` at the end.
"""

from typing import Any, ClassVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ACTIONS = ("INSERT", "UPDATE", "DELETE")
SQLITE_ROWS = {
    "INSERT": "SELECT {new}",
    "UPDATE": "SELECT {new} UNION ALL SELECT {old}",
    "DELETE": "SELECT {old}",
}
POSTGRESQL_ROWS = {
    "INSERT": "SELECT {facts} FROM after_rows",
    "UPDATE": (
        "(SELECT {facts} FROM after_rows EXCEPT SELECT {facts} FROM before_rows)"
        " UNION ALL (SELECT {facts} FROM before_rows EXCEPT SELECT {facts} FROM after_rows)"
    ),
    "DELETE": "SELECT {facts} FROM before_rows",
}
POSTGRESQL_TABLES = {
    "INSERT": "NEW TABLE AS after_rows",
    "UPDATE": "OLD TABLE AS before_rows NEW TABLE AS after_rows",
    "DELETE": "OLD TABLE AS before_rows",
}
# Whoever changes a row need not see every environment that it concerns.
AS_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT"
CONCERNED = """
FROM ({rows}) AS changed {join}
JOIN tenancy_revision AS revision ON revision.organization_id = {organization}
  AND ({environment} IS NULL OR revision.environment_id = {environment})"""
# Locked in one order, so that two changes that concern several environments cannot deadlock.
BUMP = f"""
UPDATE tenancy_revision SET value = value + 1 WHERE environment_id IN (
  SELECT revision.environment_id {CONCERNED} {{lock}});"""  # noqa: S608  -- our own words
# The lock on a revision is held until the end, so whoever reads a revision reads all up to it.
TOUCH = f"""
INSERT INTO tenancy_touched (environment_id, organization_id, kind, subject, revision)
SELECT DISTINCT revision.environment_id, revision.organization_id, '{{kind}}', {{subject}},
  revision.value {CONCERNED} WHERE true
ON CONFLICT (environment_id, kind, subject) DO UPDATE SET revision = excluded.revision;"""
OWN = {
    "subject": "changed.id",
    "organization": "changed.organization_id",
    "environment": "NULL",
    "join": "",
}
START = """
INSERT INTO tenancy_revision (environment_id, organization_id, value)
SELECT changed.id, changed.organization_id, 1 FROM ({rows}) AS changed;"""
# A change that concerns all environments of an organization waits for one that is just being made,
# and the other way round: it could not see its revision. SQLite has one writer at a time anyway.
LOCK = "PERFORM pg_advisory_xact_lock{kind}(hashtextextended({organization}::text, 0))"
FOUNDING = LOCK.format(kind="", organization="changed.organization_id") + (
    " FROM ({rows}) AS changed;"
)
EVERYWHERE = LOCK.replace("{kind}", "_shared") + (
    " FROM ({rows}) AS changed {join} WHERE {environment} IS NULL;"
)


class _Triggers(Operation):
    """Puts triggers on the table of one model; reversible, and unknown to the model state."""

    reversible = True
    actions: ClassVar[tuple[str, ...]] = ACTIONS
    template: ClassVar[str]
    exclusion: ClassVar[str]

    def __init__(self, model: str, **scope: str) -> None:
        self.model, self.scope = model, scope

    def statements(self, rows: str, lock: str = "") -> str:
        """Return what is done about `rows`, a query for those that changed."""
        return self.template.format(rows=rows, lock=lock, **self.scope)

    def waiting(self, rows: str) -> str:
        """Return what keeps PostgreSQL's writers apart before anything is done about `rows`."""
        return self.exclusion.format(rows=rows, **self.scope)

    def facts(self, model: Any) -> list[str]:
        """Return the columns whose change counts."""
        return [field.column for field in model._meta.local_concrete_fields]

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: models do not know triggers."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, _before: Any, after: ProjectState
    ) -> None:
        """Create one trigger for each action."""
        model = after.apps.get_model(app_label, self.model)
        create = _on_sqlite if editor.connection.vendor == "sqlite" else _on_postgresql
        for action in self.actions:
            for sql in create(self, model, action):
                editor.execute(sql, params=None)

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, _after: Any
    ) -> None:
        """Drop them again."""
        table = before.apps.get_model(app_label, self.model)._meta.db_table
        for action in self.actions:
            name = self.name(table, action)
            if editor.connection.vendor == "sqlite":
                editor.execute(f"DROP TRIGGER {name}")
            else:
                editor.execute(f"DROP TRIGGER {name} ON {table}")
                editor.execute(f"DROP FUNCTION {name}()")

    def name(self, table: str, action: str) -> str:
        """Return the name of one trigger, and of its function."""
        return f"{table}_{type(self).__name__}_{action}".lower()

    def describe(self) -> str:
        """Say what `migrate` shows."""
        return f"{type(self).__name__} on {self.model}"


class StartsRevision(_Triggers):
    """Gives every new row of `model`, an environment, its revision."""

    actions = ("INSERT",)
    template = START
    exclusion = FOUNDING


class BumpsRevision(_Triggers):
    """Advances the revision of every environment that a changed row of `model` concerns.

    What changed is noted as `kind` and, in SQL like the rest of `scope`, its `subject`: the row's
    own id, or that of what it is a part of. `organization` and `environment` are what it belongs
    to; `changed` is the row itself, and `join` may bring its parent. Without an environment all of
    the organization's are concerned. A change of columns in `ignoring` alone concerns nobody.
    """

    template = BUMP + TOUCH
    exclusion = EVERYWHERE

    def __init__(
        self, model: str, kind: str, *, ignoring: tuple[str, ...] = (), **scope: str
    ) -> None:
        super().__init__(model, kind=kind, **(OWN | scope))
        self.ignoring = ignoring

    def facts(self, model: Any) -> list[str]:
        """Return the columns whose change counts."""
        return [column for column in super().facts(model) if column not in self.ignoring]


def _on_sqlite(triggers: _Triggers, model: Any, action: str) -> list[str]:
    facts, table = triggers.facts(model), model._meta.db_table
    new, old = (
        ", ".join(f"{side}.{column} AS {column}" for column in facts) for side in ("NEW", "OLD")
    )
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in facts)
    rows = SQLITE_ROWS[action].format(new=new, old=old)
    when = f"WHEN {changed}" if action == "UPDATE" else ""
    head = f"CREATE TRIGGER {triggers.name(table, action)} AFTER {action} ON {table}"
    return [f"{head} FOR EACH ROW {when} BEGIN {triggers.statements(rows)} END"]


def _on_postgresql(triggers: _Triggers, model: Any, action: str) -> list[str]:
    table = model._meta.db_table
    name = triggers.name(table, action)
    rows = POSTGRESQL_ROWS[action].format(facts=", ".join(triggers.facts(model)))
    statements = triggers.statements(rows, "ORDER BY 1 FOR UPDATE OF revision")
    body = f"BEGIN {triggers.waiting(rows)} {statements} RETURN NULL; END"
    tables = f"REFERENCING {POSTGRESQL_TABLES[action]} FOR EACH STATEMENT"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger {AS_OWNER} AS $${body}$$",
        f"CREATE TRIGGER {name} AFTER {action} ON {table} {tables} EXECUTE FUNCTION {name}()",
    ]
