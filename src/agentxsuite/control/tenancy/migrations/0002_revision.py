from django.db import migrations

from agentxsuite.control.tenancy.triggers import BumpsRevision, StartsRevision


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        StartsRevision("Environment"),
        BumpsRevision(
            "Environment", "environment", environment="changed.id", ignoring=("updated_at",)
        ),
        BumpsRevision(
            "Organization", "environment", organization="changed.id", ignoring=("updated_at",)
        ),
        BumpsRevision("OrganizationMembership", "member", subject="changed.user_id"),
        BumpsRevision(
            "User",
            "member",
            organization="membership.organization_id",
            join="JOIN tenancy_organizationmembership AS membership ON membership.user_id = changed.id",
            ignoring=("password", "last_login", "first_name", "last_name"),
        ),
    ]
