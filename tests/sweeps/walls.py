"""The tenant door taken off its hinges, so that row-level security alone protects; and that too."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from agentxsuite.control.tenancy import access, scope
from agentxsuite.control.tenancy.models import Organization
from tests.sweeps.digests import tables
from tests.sweeps.estate import Estate

narrow = QuerySet._filter_or_exclude_inplace


def without_door(monkeypatch: Any, acme: Estate, globex: Estate) -> None:
    """Let everybody everywhere: no query asks whose a row is, and no scope holds anybody back.

    What the database is told stays what it is for a member of Acme: that it is Acme's rows.
    """
    both = [acme.org, globex.org]
    monkeypatch.setattr(QuerySet, "_filter_or_exclude_inplace", of_any_organization)
    monkeypatch.setattr(access, "organization", any_organization)
    monkeypatch.setattr(access, "within", any_row)
    monkeypatch.setattr(access, "_organizations_of", lambda _user: both)
    monkeypatch.setattr(scope, "_show", lambda _wanted: show(acme))


def of_any_organization(rows: Any, negate: bool, args: Any, facts: Any) -> None:  # noqa: FBT001 - Django's own
    """Narrow rows by everything but whose they are."""
    other = {name: value for name, value in facts.items() if not name.startswith("organization")}
    narrow(rows, negate, args, other)


def any_organization(_user: Any, org_id: Any, _least: Any = None) -> Organization:
    """The organization in a path, whoever asks."""
    return access.one(QuerySet(Organization), id=org_id)


def any_row(_user: Any, rows: Any, row_id: Any, _least: Any = None) -> Any:
    """A row of whatever organization, whoever asks."""
    return access.one(access.live(rows), id=row_id)


def show(*estates: Estate) -> None:
    """Tell the database whose rows it may show, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(scope.SHOW, [",".join(each.org for each in estates)])


def tear_down() -> None:
    """Take the walls away too, as their owner, until the transaction is rolled back."""
    with connection.cursor() as cursor:
        for table, owner in tables().items():
            if owner:
                statement = f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
                cursor.execute("SELECT tests_forge(%s)", [statement])
