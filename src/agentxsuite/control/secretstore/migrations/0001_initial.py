import agentxsuite.control.secretstore.models
import agentxsuite.control.tenancy.constraints
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataKey",
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
                ("number", models.PositiveIntegerField()),
                ("wrapped", models.BinaryField()),
                ("wrapped_by", models.CharField(max_length=100)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                        fields=("organization", "number"),
                        name="secretstore_datakey_one_organization_number",
                    ),
                    models.UniqueConstraint(
                        fields=("id", "organization"),
                        name="secretstore_datakey_one_id_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Secret",
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
                (
                    "ref",
                    models.CharField(
                        default=agentxsuite.control.secretstore.models.new_ref,
                        editable=False,
                        max_length=64,
                        unique=True,
                    ),
                ),
                ("purpose", models.CharField(blank=True, max_length=200)),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                        fields=("id", "organization"), name="secretstore_secret_one_id_organization"
                    ),
                    models.UniqueConstraint(
                        fields=("ref", "organization"),
                        name="secretstore_secret_one_ref_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "environment",
                        "organization",
                        mine="organization",
                        name="secretstore_secret_environment_same_organization",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecretVersion",
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
                ("number", models.PositiveIntegerField()),
                ("ciphertext", models.BinaryField()),
                (
                    "fingerprint",
                    models.CharField(blank=True, db_index=True, max_length=64, null=True),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "data_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, to="secretstore.datakey"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenancy.organization"
                    ),
                ),
                (
                    "secret",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="secretstore.secret",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("secret", "number"),
                        name="secretstore_secretversion_one_secret_number",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "secret",
                        "organization",
                        mine="organization",
                        name="secretstore_secretversion_secret_same_organization",
                    ),
                    agentxsuite.control.tenancy.constraints.SameOwner(
                        "data_key",
                        "organization",
                        mine="organization",
                        name="secretstore_secretversion_data_key_same_organization",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)),
                        name="secretstore_secretversion_number_from_one",
                    ),
                ],
            },
        ),
    ]
