"""Who may do what to which table on PostgreSQL; whatever is not named here, `app` may change."""

from collections.abc import Mapping
from typing import Final, NamedTuple

READABLE: Final = (
    "id, organization_id, environment_id, agent_id, tool_id, agent_name, tool_name, subject, "
    "status, outcome_code, worker_id, started_at, dispatched_at, ended_at, timeout_seconds, "
    "decision_id, cancel_requested_at, run_as_user_id, door, created_at"
)
ENDED: Final = "status, outcome_code, ended_at, output_json, error_text, result_type"
ALL: Final = "SELECT, INSERT, UPDATE, DELETE"


class Grant(NamedTuple):
    """Privileges on one table, in GRANT's words; empty for none."""

    app: str = ALL
    ledger: str = ""


GRANTS: Final[Mapping[str, Grant]] = {
    # Evidence is only ever added to; a run changes once, from running to its end.
    "audit.AuditEvent": Grant("SELECT, INSERT", "INSERT"),
    "runs.Run": Grant(
        "SELECT, UPDATE (cancel_requested_at)", f"INSERT, SELECT ({READABLE}), UPDATE ({ENDED})"
    ),
    "runs.RunStep": Grant("SELECT", "INSERT"),
    "runs.IdempotencyKey": Grant(ALL, "SELECT, INSERT, DELETE"),
    "runs.Worker": Grant("SELECT", ALL),
    "tenancy.KeptAnswer": Grant(ALL, "SELECT (id, created_at), DELETE"),
    "tenancy.Touched": Grant("SELECT"),
    # Triggers of the owner's advance it, so that nobody can forget to, or turn it back.
    "tenancy.Revision": Grant("SELECT"),
}
