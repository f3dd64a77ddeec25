"""Secrets as the REST API takes and shows them: their values only go in."""

from typing import Any, Final

from rest_framework import serializers

from agentxsuite.control.rest.serializers import OwnRow, Strict
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.control.secretstore.services import MAX_BYTES
from agentxsuite.control.secretstore.uses import uses_of
from agentxsuite.control.tenancy.models import Environment

SHOWN: Final = 50  # versions that a secret's own page tells of


class ValueSerializer(Strict):
    """A value, exactly as it is to be sent."""

    value = serializers.CharField(
        write_only=True,
        trim_whitespace=False,
        max_length=MAX_BYTES,
        style={"input_type": "password"},
        help_text="Kept encrypted, and never shown again.",
    )


class NewSecretSerializer(ValueSerializer):
    """A value, what it is for, and where it may be used: everywhere, without an environment."""

    purpose = serializers.CharField(max_length=200, default="", allow_blank=True)
    environment = OwnRow(Environment, allow_null=True, default=None)


class SecretSerializer(serializers.ModelSerializer[Secret]):
    """What is known of a secret without opening it."""

    secret_ref = serializers.CharField(source="ref", read_only=True)
    version = serializers.IntegerField(read_only=True, help_text="The one in use.")
    rotated_at = serializers.DateTimeField(read_only=True, help_text="When that one went in.")

    class Meta:
        model = Secret
        fields = ["secret_ref", "purpose", "environment", "version", "rotated_at", "created_at"]
        read_only_fields = fields


class SecretVersionSerializer(serializers.ModelSerializer[SecretVersion]):
    """When a value went in, and who brought it."""

    class Meta:
        model = SecretVersion
        fields = ["number", "created_at", "created_by"]
        read_only_fields = fields


class UseSerializer(serializers.Serializer[Any]):
    """Something that names a secret."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    name = serializers.CharField()
    field = serializers.CharField()


class WholeSecretSerializer(SecretSerializer):
    """A secret with its newest versions, and with everything that names it."""

    versions = SecretVersionSerializer(many=True, read_only=True)
    used_by = UseSerializer(many=True, read_only=True)

    class Meta(SecretSerializer.Meta):
        fields = [*SecretSerializer.Meta.fields, "versions", "used_by"]
        read_only_fields = fields

    def to_representation(self, instance: Secret) -> dict[str, Any]:
        """Return what is shown; a secret that is often rotated has more versions than that."""
        shown = SecretSerializer(instance).data
        newest = instance.versions.order_by("-number")[:SHOWN]
        versions = SecretVersionSerializer(newest, many=True).data
        used_by = UseSerializer(uses_of(instance), many=True).data
        return {**shown, "versions": versions, "used_by": used_by}
