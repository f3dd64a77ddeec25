"""Which type a field has in JSON: the framework would take a number for a text."""

from typing import Any, Final

from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
Types = tuple[type, ...]

TYPES: Final[tuple[tuple[type[Any], Types, str], ...]] = (
    (serializers.BooleanField, (bool,), "a boolean"),
    (serializers.IntegerField, (int,), "an integer"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.CharField, (str,), "a string"),
    (serializers.UUIDField, (str,), "a string"),
    (serializers.DateTimeField, (str,), "a string"),
    (serializers.ChoiceField, (str,), "a string"),
    (serializers.PrimaryKeyRelatedField, (str,), "a string"),
)


def complaint(field: Field, value: Any) -> Any:
    """Return the error of a value of another type, as the framework words one; None for none."""
    if isinstance(field, serializers.ListField):
        return in_list(field, value)
    for kind, types, told in TYPES:
        if isinstance(field, kind) and value is not None:
            return None if type(value) in types else [f"must be {told}"]
    return None


def in_list(field: Any, value: Any) -> Any:
    """Return the errors of elements by their number; that it is no list, the framework tells."""
    elements = enumerate(value if isinstance(value, list) else ())
    told = {number: complaint(field.child, each) for number, each in elements}
    return {number: wrong for number, wrong in told.items() if wrong} or None
