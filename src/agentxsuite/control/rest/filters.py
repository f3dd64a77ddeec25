"""Filters of lists that take a word in either case, as everywhere."""

from typing import Any

from django_filters import rest_framework as filters
from django_filters.fields import ChoiceField


class AnyCaseField(ChoiceField):
    """One word of a few, in either case."""

    def to_python(self, value: Any) -> Any:
        """Return the word as it is stored."""
        return super().to_python(value.lower() if isinstance(value, str) else value)


class AnyCase(filters.ChoiceFilter):
    """Narrows to a word of an enum."""

    field_class = AnyCaseField
