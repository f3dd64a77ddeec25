from django.db import migrations

from agentxsuite.control.tenancy.triggers import BumpsRevision


class Migration(migrations.Migration):
    dependencies = [
        ("secretstore", "0001_initial"),
        ("tenancy", "0002_revision"),
    ]

    operations = [
        BumpsRevision("DataKey", "data_key"),
        BumpsRevision("Secret", "secret", environment="changed.environment_id"),
        BumpsRevision(
            "SecretVersion",
            "secret",
            subject="changed.secret_id",
            organization="parent.organization_id",
            environment="parent.environment_id",
            join="JOIN secretstore_secret AS parent ON parent.id = changed.secret_id",
        ),
    ]
