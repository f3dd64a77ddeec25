"""The bases of serializers: an unknown field, another type or a foreign row is an error."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from agentxsuite.control.rest.json_types import complaint
from agentxsuite.control.tenancy import access

Row = TypeVar("Row", bound=Model)

FIXED: Final = "This stays as it is: it cannot be set here."


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


class Steady(StrictModelSerializer[Row]):
    """A row with fields that stay as they are; a body may repeat them as they are shown.

    Those that are `fixed` are set when the row is made, or by us alone where they are read-only.
    """

    fixed: ClassVar[tuple[str, ...]] = ()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; of a row that is there, none that is fixed is taken."""
        fields = super().get_fields()
        for name in self.fixed if self.instance is not None else ():
            fields[name].read_only = True
        return fields

    def validate(self, attrs: Any) -> Any:
        """Refuse what would pass for a change and be none; raises ValidationError."""
        shown = self.to_representation(self.instance) if self.instance is not None else {}
        wrong = [
            name
            for name in self.fixed
            if self.fields[name].read_only
            and name in self.initial_data
            and self.initial_data[name] != _plain(shown.get(name))
        ]
        if wrong:
            raise serializers.ValidationError({name: [FIXED] for name in wrong})
        return attrs


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


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _is_unique(validator: Any) -> bool:
    return isinstance(validator, UniqueValidator)
