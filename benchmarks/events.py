"""A year of audit events, in months as the product keeps them, for benchmarks that read them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

DAYS: Final = 360
# One of ten events is of one of a hundred other organizations. All that clients did and everything
# denied is old: lists of these begin far from the newest event.
FACTS: Final = {
    "id": """(lpad(to_hex((extract(epoch FROM ts) * 1000)::bigint), 12, '0')
      || '7' || lpad(to_hex(mod(n, 4096)), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid""",
    "organization_id": """CASE mod(n, 10) WHEN 0 THEN md5(mod(n, 1000)::text)::uuid
      ELSE %(own)s::uuid END""",
    "event_type": "'bench'",
    "event_data": "'{{}}'",
    "context": "'{{}}'",
    "ts": "ts",
    "created_at": "ts",
    "subject": """CASE WHEN mod(n, 11) = 1 THEN 'user:' || mod(n, 7)
      WHEN mod(n, 11) = 2 AND n < %(number)s / 4 THEN 'client:' || mod(n, 5)
      ELSE 'agent:' || mod(n, 97) END""",
    "action": "CASE mod(n, 11) WHEN 1 THEN 'organization.change' ELSE 'tool.invoke' END",
    "target": "'tool:pay/' || mod(n, 997)",
    "decision": "CASE WHEN n < %(number)s / 100 THEN 'deny' ELSE 'allow' END",
    "rule_name": "''",
}
FILL: Final = f"""
INSERT INTO {{table}} ({", ".join(FACTS)}) SELECT {", ".join(FACTS.values())} FROM (
  SELECT n, %(now)s::timestamptz - interval '{DAYS} days' * (1 - n::float / %(number)s) AS ts
  FROM generate_series(1, %(number)s) AS n) AS each
WHERE ts >= %(begin)s AND ts < %(end)s"""  # noqa: S608 - our own words
ATTACH: Final = """
ALTER TABLE audit_auditevent ATTACH PARTITION {table}
FOR VALUES FROM (agentxsuite_first_id('{begin:%F}')) TO (agentxsuite_first_id('{end:%F}'))"""


def fill(admin: psycopg.Connection, organization: str, number: int) -> None:
    """Store so many events, nine of ten in the organization; the last one tells of now.

    Months that have gone are filled before they get their indexes, which is several times faster.
    """
    now = datetime.now(UTC)
    known = {"own": organization, "number": number, "now": now}
    this = first_of(now)
    end = this
    while end > now - timedelta(days=DAYS):
        begin = first_of(end - timedelta(days=1))
        table = f"audit_auditevent_y{begin:%Y}m{begin:%m}"
        admin.execute(
            f"CREATE TABLE {table} (LIKE audit_auditevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        admin.execute(FILL.format(table=table), {**known, "begin": begin, "end": end})
        admin.execute(ATTACH.format(table=table, begin=begin, end=end))
        end = begin
    whole = {**known, "begin": this, "end": now + timedelta(days=1)}
    admin.execute(FILL.format(table="audit_auditevent"), whole)
    admin.execute("VACUUM ANALYZE audit_auditevent")


def first_of(moment: datetime) -> datetime:
    """When the month of a moment began."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
