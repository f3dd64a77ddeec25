"""The bases of serializers: an unknown field, another type or a foreign row is an error."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from agentxsuite.control.rest.json_types import complaint
from agentxsuite.control.tenancy import access

Row = TypeVar("Row", bound=Model)


class Strict(serializers.Serializer[Any]):
    """Refuses what it does not know: a misspelt field must not pass in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values; raises ValidationError."""
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            unknown = set(data) - set(self.fields)
            if unknown:
                told = f"unknown field; known are {', '.join(known)}"
                raise serializers.ValidationError({str(name): [told] for name in sorted(unknown)})
            self._check_types(data)
        return super().to_internal_value(data)

    def _check_types(self, data: Mapping[str, Any]) -> None:
        fields = {name: field for name, field in self.fields.items() if not field.read_only}
        told = {name: complaint(fields[name], data[name]) for name in fields.keys() & data.keys()}
        wrong = {name: fault for name, fault in told.items() if fault}
        if wrong:
            raise serializers.ValidationError(wrong)


class StrictModelSerializer(Strict, serializers.ModelSerializer[Row]):
    """A row's fields. What must be unique is found by the services, which answer a conflict."""

    def get_validators(self) -> list[Any]:
        """Return none: the framework's would answer a duplicate as bad input."""
        return []

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Leave uniqueness to the services."""
        field, kwargs = super().build_standard_field(field_name, model_field)
        found = kwargs.get("validators", [])
        kwargs["validators"] = [each for each in found if not _is_unique(each)]
        return field, kwargs


class OwnRow(serializers.PrimaryKeyRelatedField[Any]):
    """A row of the organization in the path, named by its id; a foreign one is not there."""

    def __init__(self, model: type[Model] | None = None, **kwargs: Any) -> None:
        self.model = model
        if model is not None and not kwargs.get("read_only"):
            kwargs["queryset"] = QuerySet(model).none()
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the live rows that may be named."""
        assert self.model is not None, "a field that is written has a model"  # noqa: S101 - narrows
        return access.live(self.model).filter(organization=self.context["organization"])


class Choice(serializers.ChoiceField):
    """One word of a few, in either case; stored and shown in lower case."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the word; raises ValidationError."""
        return super().to_internal_value(data.lower() if isinstance(data, str) else data)


def _is_unique(validator: Any) -> bool:
    return isinstance(validator, UniqueValidator)
