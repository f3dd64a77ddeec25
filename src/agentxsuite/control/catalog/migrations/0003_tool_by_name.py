from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_revision"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="tool",
            index=models.Index(
                fields=["organization", "name", "id"],
                name="tool_by_name",
                condition=models.Q(deleted_at=None),
            ),
        ),
    ]
