import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0002_revision"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
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
                ("holder", models.UUIDField()),
                ("address", models.CharField(max_length=500)),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("rights", models.JSONField(default=dict)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("body", models.TextField(null=True)),
                ("made", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="kept_answer_oldest")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("holder", "address", "key"),
                        name="tenancy_keptanswer_one_holder_address_key",
                    )
                ],
            },
        ),
    ]
