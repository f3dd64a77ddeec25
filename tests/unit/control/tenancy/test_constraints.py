"""Every rule that the database keeps is broken once, on both databases."""

from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from tests.unit.control.tenancy import rows

pytestmark = [pytest.mark.database, pytest.mark.django_db]

OLD = datetime(2020, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """A row of one of the tenants, or a value in it."""

    tenant: int
    path: str


def ours(path):
    return Row(0, path)


def theirs(path):
    return Row(1, path)


def change(row, **values):
    return partial(breaking, rows.change, row, values)


def twin(row, **values):
    return partial(breaking, rows.twin, row, values)


def breaking(do, row, values, *tenants):
    """Do it and look at what else is only looked at when a transaction ends."""
    do(
        getattr(tenants[0], row),
        **{
            name: attrgetter(value.path)(tenants[value.tenant]) if isinstance(value, Row) else value
            for name, value in values.items()
        },
    )
    connection.check_constraints()


# name of the rule: what breaks it. `change(row, ...)` updates a row, `twin(row, ...)` inserts its
# copy with other values; `ours` and `theirs` name rows of two tenants.
TENANCY = {
    "tenancy_organization_live_name": change("organization", name="globex"),
    "tenancy_environment_live_name": change("stage", name="prod"),
    "tenancy_environment_type_known": change("stage", type="PROD"),
    "tenancy_user_email_lower_case": change("user", email="A@example.org"),
    "tenancy_user.email": change("user", email=theirs("user.email")),
    "tenancy_organizationmembership_one_user_organization": twin("membership", role="owner"),
    "tenancy_organizationmembership_role_known": change("membership", role="root"),
    "tenancy_invitation_one_organization_email": twin("invitation", digest="new"),
    "tenancy_invitation.digest": twin("invitation", email="newer@example.org"),
    "tenancy_invitation_role_known": change("invitation", role="root"),
    "tenancy_invitation_email_lower_case": change("invitation", email="A@example.org"),
    "tenancy_keptanswer_one_holder_address_key": twin("kept_answer"),
    "tenancy_revision_environment_same_organization": change(
        "revision", organization=theirs("organization")
    ),
}
SECRETS = {
    "secretstore_datakey_one_organization_number": twin("data_key"),
    "secretstore_secret.ref": twin("secret"),
    "secretstore_secret_environment_same_organization": twin(
        "secret", ref="sec_new", environment=theirs("environment")
    ),
    "secretstore_secretversion_one_secret_number": twin("secret_version"),
    "secretstore_secretversion_number_from_one": change("secret_version", number=0),
    "secretstore_secretversion_secret_same_organization": change(
        "secret_version", secret=theirs("secret"), number=2
    ),
    "secretstore_secretversion_data_key_same_organization": change(
        "secret_version", data_key=theirs("data_key")
    ),
}
CATALOG = {
    "catalog_connection_live_name": twin("connection", slug="pdf-2"),
    "catalog_connection_one_environment_slug": twin(
        "connection", name="after its death", deleted_at=OLD
    ),
    "catalog_connection_slug_form": change("connection", slug="pdf\n"),
    "catalog_connection_auth_method_known": change("connection", auth_method="BEARER"),
    "catalog_connection_status_known": change("connection", status="fine"),
    "catalog_connection_verify_known": change("connection", verify="never"),
    "catalog_connection_environment_same_organization": twin(
        "connection", slug="new", environment=theirs("environment")
    ),
    "catalog_connection_secret_ref_same_organization": change(
        "connection", secret_ref=theirs("secret.ref")
    ),
    "catalog_account_one_connection_user": twin("account"),
    "catalog_account_environment_same_organization": change(
        "account", environment=theirs("environment"), connection=theirs("connection")
    ),
    "catalog_account_connection_same_environment": change("account", connection=ours("elsewhere")),
    "catalog_account_data_key_same_organization": change("account", data_key=theirs("data_key")),
    "catalog_account_user_same_organization": change("account", user=theirs("user")),
    "catalog_tool_live_version": twin("tool", upstream_name="reads"),
    "catalog_tool_one_connection_upstream_name": twin(
        "tool", name="after its death", deleted_at=OLD
    ),
    "catalog_tool_sync_status_known": change("tool", sync_status="new"),
    "catalog_tool_environment_same_organization": change(
        "tool",
        environment=theirs("environment"),
        connection=theirs("connection"),
        upstream_name="new",
    ),
    "catalog_tool_connection_same_environment": change("tool", connection=ours("elsewhere")),
    "catalog_tool_definition_same_tool": change("tool", definition=ours("other_definition")),
    "catalog_tool_pending_same_tool": change("tool", pending=ours("other_definition")),
    "catalog_tooldefinition_one_tool_number": twin("definition"),
    "catalog_tooldefinition_number_from_one": change("definition", number=0),
    "catalog_tooldefinition_tool_same_organization": change(
        "definition", tool=theirs("tool"), number=2
    ),
}
AGENTS = {
    "agents_serviceaccount_live_name": twin("service_account", subject="new"),
    "agents_serviceaccount_one_issuer_subject": twin(
        "service_account", name="after its death", deleted_at=OLD
    ),
    "agents_serviceaccount_environment_same_organization": change(
        "service_account", environment=theirs("environment")
    ),
    "agents_serviceaccount_credential_ref_same_organization": change(
        "service_account", credential_ref=theirs("secret.ref")
    ),
    "agents_agent_live_name": twin(
        "agent", slug="new", service_account=None, inbound_auth_method="none"
    ),
    "agents_agent_live_service_account": twin("agent", name="new", slug="new"),
    "agents_agent_one_slug": twin("agent", name="after its death", slug="BOT", deleted_at=OLD),
    "agents_agent_mode_known": change("agent", mode="CALLER"),
    "agents_agent_inbound_auth_method_known": change("agent", inbound_auth_method="basic"),
    "agents_agent_runner_has_connection": change("agent", mode="runner"),
    "agents_agent_bearer_has_credential": change("agent", service_account=None),
    "agents_agent_mtls_has_certificate_and_key": change(
        "agent", inbound_auth_method="mtls", mtls_cert_ref=ours("secret.ref")
    ),
    "agents_agent_environment_same_organization": twin(
        "agent",
        environment=theirs("environment"),
        slug="new",
        service_account=None,
        inbound_auth_method="none",
    ),
    "agents_agent_connection_same_environment": change("agent", connection=ours("elsewhere")),
    "agents_agent_service_account_same_organization": change(
        "agent", service_account=theirs("spare_account")
    ),
    "agents_agent_bearer_secret_ref_same_organization": change(
        "agent", bearer_secret_ref=theirs("secret.ref")
    ),
    "agents_agent_inbound_secret_ref_same_organization": change(
        "agent", inbound_secret_ref=theirs("secret.ref")
    ),
    "agents_agent_mtls_cert_ref_same_organization": change(
        "agent", mtls_cert_ref=theirs("secret.ref")
    ),
    "agents_agent_mtls_key_ref_same_organization": change(
        "agent", mtls_key_ref="sec_that_never_was"
    ),
    "agents_issuedtoken.jti": twin("token"),
    "agents_issuedtoken_environment_same_organization": change(
        "token", environment=theirs("environment"), agent=theirs("agent")
    ),
    "agents_issuedtoken_agent_same_environment": change("token", agent=theirs("agent")),
}
OAUTH = {
    "oauth_client.client_id": twin("client"),
    "oauth_grant_environment_same_organization": change(
        "grant", environment=theirs("environment"), agent=theirs("agent")
    ),
    "oauth_grant_agent_same_environment": change("grant", agent=theirs("agent")),
    "oauth_machine.client_id": twin("machine"),
    "oauth_machine_environment_same_organization": change(
        "machine", environment=theirs("environment"), agent=theirs("agent")
    ),
    "oauth_machine_agent_same_environment": change("machine", agent=theirs("agent")),
    "oauth_code.code": twin("code"),
    "oauth_code_grant_same_organization": change("code", grant=theirs("grant")),
    "oauth_accesstoken.jti": twin("access_token", token_checksum="n", source_refresh_token=None),
    "oauth_accesstoken.token_checksum": twin("access_token", jti="n", source_refresh_token=None),
    "oauth_accesstoken.source_refresh_token_id": twin("access_token", jti="n", token_checksum="n"),
    "oauth_accesstoken_grant_same_organization": change("access_token", grant=theirs("grant")),
    "oauth_refreshtoken.access_token_id": twin("refresh_token", token_checksum="n"),
    "oauth_refreshtoken_grant_same_organization": change("refresh_token", grant=theirs("grant")),
}
POLICIES = {
    "policies_policy_live_name": twin("policy"),
    "policies_policy_version_from_one": change("policy", version=0),
    "policies_policy_environment_same_organization": change(
        "policy", environment=theirs("environment")
    ),
    "policies_policyrule_effect_known": change("rule", effect="ALLOW"),
    "policies_policyrule_policy_same_organization": change("rule", policy=theirs("policy")),
    "policies_policybinding_one_policy_scope_type_scope_id": twin("binding", priority=7),
    "policies_policybinding_scope_type_known": change("binding", scope_type="galaxy"),
    "policies_policybinding_policy_same_organization": change("binding", policy=theirs("policy")),
    "policies_policyversion_one_policy_number": twin("policy_version"),
    "policies_policyversion_number_from_one": change("policy_version", number=0),
    "policies_policyversion_policy_same_organization": change(
        "policy_version", policy=theirs("policy"), number=2
    ),
}
EVIDENCE = {
    "runs_run_status_known": change("run", status="done"),
    "runs_run_outcome_code_known": change("run", outcome_code="oops"),
    "runs_run_timeout_positive": change("run", timeout_seconds=0),
    "tenancy_touched_one_environment_kind_subject": twin("touched"),
    "runs_idempotencykey_one_key": twin("key"),
    "audit_auditevent_decision_known": change("event", decision="maybe"),
}
BREAKS = TENANCY | SECRETS | CATALOG | AGENTS | OAUTH | POLICIES | EVIDENCE


@pytest.mark.parametrize("name", BREAKS)
def test_the_database_refuses_what_breaks_a_rule(name, tenant, stranger):
    """A bug or a race in our code stores what must never be, in whatever way it came there."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        BREAKS[name](tenant, stranger)
    assert says(name, str(refused.value))


def test_every_rule_is_broken_above():
    """A rule that no test breaks may have been lost from the database unseen."""
    models = [model for model in apps.get_models() if "agentxsuite" in model.__module__]
    declared = {rule.name for model in models for rule in model._meta.constraints}
    declared |= {
        f"{model._meta.db_table}.{field.column}"
        for model in models
        for field in model._meta.fields
        if field.unique and not field.primary_key
    }
    pointed_at = {name for name in declared if "_one_id_" in name or "_one_ref_" in name}
    assert declared - pointed_at == set(BREAKS)


def test_deletion_frees_a_name(tenant):
    """Somebody who deleted a policy cannot make it anew under its name."""
    rows.change(tenant.policy, deleted_at=OLD)
    rows.twin(tenant.policy)
    rows.change(tenant.environment, deleted_at=OLD)
    rows.twin(tenant.environment, deleted_at=None)
    assert type(tenant.policy).objects.live().in_organization(tenant.organization).count() == 2


def test_every_tenant_has_its_own_names(tenant, stranger):
    """The second customer cannot call anything as the first one does."""
    assert tenant.connection.slug == stranger.connection.slug
    assert tenant.agent.slug == stranger.agent.slug


def test_mtls_agents_and_runners_are_possible(tenant):
    """Agents that authenticate by certificate, or that the platform runs, cannot be stored."""
    ref = tenant.secret.ref
    rows.change(tenant.agent, inbound_auth_method="mtls", mtls_cert_ref=ref, mtls_key_ref=ref)
    rows.change(tenant.agent, mode="runner", connection=tenant.connection)
    connection.check_constraints()
    tenant.agent.refresh_from_db()
    assert (tenant.agent.mode, tenant.agent.inbound_auth_method) == ("runner", "mtls")


def test_a_form_is_told_before_the_database_is(tenant, stranger):
    """A form that names another tenant's environment ends in a crash instead of a message."""
    tenant.connection.full_clean()
    tenant.connection.environment = stranger.environment
    with pytest.raises(ValidationError, match="connection_environment_same_organization"):
        tenant.connection.full_clean()
    tenant.connection.full_clean(exclude=["environment"])


def test_a_form_leaves_an_empty_reference_alone(tenant):
    """A connection without a secret cannot be saved from a form."""
    tenant.connection.full_clean()
    assert tenant.connection.secret_ref is None


def says(name, message):
    """PostgreSQL names the rule that was broken; SQLite names checks, and columns elsewhere."""
    table, _, column = name.partition(".")
    if connection.vendor == "postgresql":
        return f"{table}_{column}" in message if column else f'"{name}"' in message
    if "same" in name:
        return "foreign key" in message.lower()
    return f"CHECK constraint failed: {name}" in message or "UNIQUE constraint failed" in message
