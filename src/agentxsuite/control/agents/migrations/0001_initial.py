import agentxsuite.control.tenancy.constraints
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
        ("secretstore", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ServiceAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name", models.CharField(max_length=200)),
                ("subject", models.CharField(max_length=255)),
                ("issuer", models.CharField(max_length=500)),
                ("audience", models.CharField(blank=True, max_length=500)),
                ("credential_ref", models.CharField(blank=True, max_length=64, null=True)),
                ("scope_allowlist", models.JSONField(blank=True, default=list)),
                ("enabled", models.BooleanField(default=True)),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="tenancy.environment",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("organization", "name"),
                        name="agents_serviceaccount_live_name",
                    ),
                    models.UniqueConstraint(
                        fields=("issuer", "subject"),
                        name="agents_serviceaccount_one_issuer_subject",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "organization"),
                        name="agents_serviceaccount_one_id_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="agents_serviceaccount_environment_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "credential_ref",
                        "organization",
                        mine="organization",
                        name="agents_serviceaccount_credential_ref_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Agent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("name", models.CharField(max_length=200)),
                ("slug", models.CharField(max_length=100)),
                (
                    "mode",
                    models.CharField(
                        choices=[("runner", "Runner"), ("caller", "Caller")],
                        default="caller",
                        max_length=10,
                    ),
                ),
                (
                    "inbound_auth_method",
                    models.CharField(
                        choices=[("bearer", "Bearer"), ("mtls", "Mtls"), ("none", "None")],
                        default="bearer",
                        max_length=10,
                    ),
                ),
                ("bearer_secret_ref", models.CharField(blank=True, max_length=64, null=True)),
                ("inbound_secret_ref", models.CharField(blank=True, max_length=64, null=True)),
                ("mtls_cert_ref", models.CharField(blank=True, max_length=64, null=True)),
                ("mtls_key_ref", models.CharField(blank=True, max_length=64, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("capabilities", models.JSONField(blank=True, default=list)),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        to="catalog.connection",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.environment"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "service_account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        to="agents.serviceaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("organization", "environment", "name"),
                        name="agents_agent_live_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("service_account",),
                        name="agents_agent_live_service_account",
                    ),
                    models.UniqueConstraint(
                        models.F("organization"),
                        models.F("environment"),
                        django.db.models.functions.text.Lower("slug"),
                        name="agents_agent_one_slug",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "environment"), name="agents_agent_one_id_environment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["runner", "caller"])),
                        name="agents_agent_mode_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("inbound_auth_method__in", ["bearer", "mtls", "none"])),
                        name="agents_agent_inbound_auth_method_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "runner"), _negated=True),
                            ("connection__isnull", False),
                            _connector="OR",
                        ),
                        name="agents_agent_runner_has_connection",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("inbound_auth_method", "bearer"), _negated=True),
                            ("bearer_secret_ref__isnull", False),
                            ("inbound_secret_ref__isnull", False),
                            ("service_account__isnull", False),
                            _connector="OR",
                        ),
                        name="agents_agent_bearer_has_credential",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("inbound_auth_method", "mtls"), _negated=True),
                            models.Q(
                                ("mtls_cert_ref__isnull", False), ("mtls_key_ref__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="agents_agent_mtls_has_certificate_and_key",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="agents_agent_environment_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "connection",
                        "environment",
                        mine="environment",
                        name="agents_agent_connection_same_environment",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "service_account",
                        "organization",
                        mine="organization",
                        name="agents_agent_service_account_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "bearer_secret_ref",
                        "organization",
                        mine="organization",
                        name="agents_agent_bearer_secret_ref_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "inbound_secret_ref",
                        "organization",
                        mine="organization",
                        name="agents_agent_inbound_secret_ref_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "mtls_cert_ref",
                        "organization",
                        mine="organization",
                        name="agents_agent_mtls_cert_ref_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.OwnSecret(
                        "mtls_key_ref",
                        "organization",
                        mine="organization",
                        name="agents_agent_mtls_key_ref_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IssuedToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
                ("jti", models.CharField(max_length=64, unique=True)),
                ("scopes", models.JSONField(blank=True, default=list)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="agents.agent",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.environment"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="agents_issuedtoken_environment_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "agent",
                        "environment",
                        mine="environment",
                        name="agents_issuedtoken_agent_same_environment",
                    ),
                ],
            },
        ),
    ]
