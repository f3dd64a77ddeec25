"""The ledger's tables and columns, with their types in PostgreSQL's words."""

from types import MappingProxyType

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import IdempotencyKey, Run, RunStep, Worker
from agentxsuite.control.tenancy.models import KeptAnswer

RUN_TABLE, STEP_TABLE, EVENT_TABLE, KEY_TABLE, WORKER_TABLE = (
    model._meta.db_table for model in (Run, RunStep, AuditEvent, IdempotencyKey, Worker)
)
ANSWER_TABLE = KeptAnswer._meta.db_table
UNFINISHED = "status IN ('pending', 'running')"  # what may still end, and its index's condition

RUN = MappingProxyType({
    "id": "uuid", "organization_id": "uuid", "environment_id": "uuid", "agent_id": "uuid",
    "tool_id": "uuid", "status": "text", "outcome_code": "text", "started_at": "timestamptz",
    "ended_at": "timestamptz", "input_json": "jsonb", "output_json": "jsonb", "error_text": "text",
    "created_at": "timestamptz", "agent_name": "text", "tool_name": "text", "tool_version": "text",
    "subject": "text", "run_as_user_id": "uuid", "decision_id": "uuid",
    "timeout_seconds": "double precision", "door": "text", "result_type": "text",
    "parent_run_id": "uuid",
    "dispatched_at": "timestamptz", "worker_id": "uuid",
})  # fmt: skip
END = MappingProxyType({
    "status": "text", "outcome_code": "text", "ended_at": "timestamptz", "output_json": "jsonb",
    "error_text": "text", "result_type": "text", "id": "uuid",
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
KEY = MappingProxyType({
    "id": "uuid", "organization_id": "uuid", "created_at": "timestamptz", "principal": "text",
    "method": "text", "path": "text", "key": "text", "digest": "text", "run_id": "uuid",
})  # fmt: skip
ONE_KEY = ("organization_id", "principal", "method", "path", "key")  # unique together
SAME_END = ("status", "outcome_code", "ended_at")  # by which an end on record is known again
