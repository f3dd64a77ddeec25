from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                fields=["organization", "-id"],
                name="event_denied",
                condition=models.Q(decision="deny"),
            ),
        ),
    ]
