"""Letting go of old evidence, on record: whole months on PostgreSQL, rows in chunks on SQLite.

The event that says what went is written in the transaction in which it goes. Audit goes before
runs, so that a run never stands without what is on record about it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.runs.models import Run, RunStep
from agentxsuite.control.storage.patience import patiently
from agentxsuite.control.tenancy.evidence import first_id, moment_of

CHUNK: Final = 5_000  # rows in one transaction on SQLite: calls wait behind it
PARTITIONS: Final = """
SELECT relid::regclass::text, substring(bound FROM 'TO \\(''([0-9a-f-]+)''\\)')
FROM (SELECT relid, pg_get_expr(relpartbound, relid) AS bound
  FROM pg_partition_tree(%s::regclass) JOIN pg_class ON oid = relid WHERE isleaf) AS leaves
"""


class Past(NamedTuple):
    """Evidence that is old enough: a partition, or on SQLite the old rows of a table."""

    table: str
    rows: int
    until: datetime


def old_evidence(audit_days: int, run_days: int) -> list[Past]:
    """Return what lies before these numbers of days, in the order in which it may go.

    On PostgreSQL only whole months count. Raises ValueError for less than a day.
    """
    if min(audit_days, run_days) < 1:
        raise ValueError("evidence is kept for a day at least")
    now = timezone.now()
    kept = ((AuditEvent, audit_days), (RunStep, run_days), (Run, run_days))
    return [
        past
        for model, days in kept
        for past in _past(model._meta.db_table, now - timedelta(days=days))
    ]


def drop(actor: Actor, past: Past) -> int:
    """Let one part go, and write down that it went; returns the number of rows.

    On PostgreSQL as the owner; raises Busy when somebody reads the evidence all the time.
    """
    if connection.vendor == "postgresql":
        return patiently(past.table, partial(_drop_partition, actor, past))
    return sum(_delete_chunks(actor, past))


def _past(table: str, before: datetime) -> Iterator[Past]:
    if connection.vendor == "postgresql":
        yield from _old_partitions(table, before)
        return
    rows = _count(f"{table} WHERE id < %s", [first_id(before).hex])
    if rows:
        yield Past(table, rows, before)


def _old_partitions(table: str, before: datetime) -> Iterator[Past]:
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS, [table])
        found = cursor.fetchall()
    for partition, end in sorted(found):
        until = moment_of(UUID(end))
        if until <= before:
            yield Past(partition, _count(_quoted(partition)), until)


def _drop_partition(actor: Actor, past: Past) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {_quoted(past.table)}")
    _record(actor, past, past.rows)
    return past.rows


def _delete_chunks(actor: Actor, past: Past) -> Iterator[int]:
    deletion = (
        f"DELETE FROM {past.table} WHERE id IN"  # noqa: S608 - a table of ours
        f" (SELECT id FROM {past.table} WHERE id < %s ORDER BY id LIMIT {CHUNK})"
    )
    gone = CHUNK
    while gone == CHUNK:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(deletion, [first_id(past.until).hex])
            gone = cursor.rowcount
            if gone:
                _record(actor, past, gone)
        yield gone


def _record(actor: Actor, past: Past, rows: int) -> None:
    record(
        "evidence_dropped",
        actor=actor,
        organization=None,
        action="evidence.drop",
        target=f"table:{past.table}",
        data={"rows": rows, "until": past.until.isoformat()},
    )


def _count(source: str, values: list[str] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {source}", values or [])  # noqa: S608 - tables of ours
        return int(cursor.fetchone()[0])


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
