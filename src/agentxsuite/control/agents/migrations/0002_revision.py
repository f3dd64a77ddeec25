from django.db import migrations

from agentxsuite.control.tenancy.triggers import BumpsRevision


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0001_initial"),
        ("tenancy", "0002_revision"),
    ]

    operations = [
        BumpsRevision("ServiceAccount", "service_account", environment="changed.environment_id"),
        BumpsRevision("Agent", "agent", environment="changed.environment_id"),
    ]
