"""The ledger's tables and columns, with their types in PostgreSQL's words."""

from types import MappingProxyType

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run, RunStep

RUN_TABLE, STEP_TABLE, EVENT_TABLE = (model._meta.db_table for model in (Run, RunStep, AuditEvent))

RUN = MappingProxyType({
    "id": "uuid", "organization_id": "uuid", "environment_id": "uuid", "agent_id": "uuid",
    "tool_id": "uuid", "status": "text", "outcome_code": "text", "started_at": "timestamptz",
    "ended_at": "timestamptz", "input_json": "jsonb", "output_json": "jsonb", "error_text": "text",
    "created_at": "timestamptz", "agent_name": "text", "tool_name": "text", "tool_version": "text",
    "subject": "text", "run_as_user_id": "uuid", "decision_id": "uuid",
    "timeout_seconds": "double precision", "door": "text", "result_type": "text",
    "dispatched_at": "timestamptz",
})  # fmt: skip
END = MappingProxyType({
    "status": "text", "outcome_code": "text", "ended_at": "timestamptz", "output_json": "jsonb",
    "error_text": "text", "id": "uuid",
})  # fmt: skip
STEP = MappingProxyType({
    "id": "uuid", "run_id": "uuid", "organization_id": "uuid", "step_type": "text",
    "message": "text", "details": "jsonb", "timestamp": "timestamptz",
})  # fmt: skip
EVENT = MappingProxyType({
    "id": "uuid", "organization_id": "uuid", "environment_id": "uuid", "event_type": "text",
    "event_data": "jsonb", "ts": "timestamptz", "subject": "text", "action": "text",
    "target": "text", "decision": "text", "rule_id": "uuid", "rule_name": "text",
    "policy_id": "uuid", "policy_version": "integer", "run_id": "uuid", "decision_id": "uuid",
    "context": "jsonb", "created_at": "timestamptz",
})  # fmt: skip
