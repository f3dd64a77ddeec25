"""Every name that an audit event can have; docs/api/events.md says what each one means."""

from typing import Final, Literal, get_args

EventType = Literal[
    # calls of tools, written by the gateway
    "run_started",
    "run_finished",
    "run_denied",
    "run_throttled",
    "run_invalid",
    "call_unauthenticated",
    "call_unknown_tool",
    # what is used beside tools: resources and prompts
    "use_started",
    "use_finished",
    "use_refused",
    "refusals_counted",
    "run_cancel_requested",
    # what is kept
    "evidence_dropped",
    # people and their organizations
    "user_created",
    "user_changed",
    "password_changed",
    "password_reset",
    "login",
    "login_failed",
    "logout",
    "organization_created",
    "organization_changed",
    "organization_deleted",
    "environment_created",
    "environment_changed",
    "environment_deleted",
    "member_added",
    "member_changed",
    "member_removed",
    "invitation_created",
    "invitation_withdrawn",
    # connections and their tools
    "connection_created",
    "connection_changed",
    "connection_deleted",
    "connection_tested",
    "connection_synced",
    "account_connected",
    "account_disconnected",
    "account_lost",
    "tool_added",
    "tool_approved",
    "tool_changed",
    "tool_deleted",
    "tool_quarantined",
    # secrets, never their values
    "secret_stored",
    "secret_rotated",
    "secret_deleted",
    # the keys that seal them
    "data_key_created",
    "data_key_retired",
    "data_key_rewrapped",
    # policies
    "policy_created",
    "policy_changed",
    "policy_deleted",
    # agents and their credentials
    "service_account_created",
    "service_account_changed",
    "service_account_deleted",
    "agent_created",
    "agent_changed",
    "agent_deleted",
    "agent_pinged",
    "token_issued",
    "token_revoked",
    "token_deleted",
    # clients that log in
    "client_registered",
    "client_changed",
    "client_removed",
    "machine_created",
    "machine_deleted",
    "grant_given",
    "grant_refused",
    "grant_ended",
]

EVENTS: Final[frozenset[str]] = frozenset(get_args(EventType))
