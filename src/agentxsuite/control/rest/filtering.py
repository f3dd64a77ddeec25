"""Lists narrowed by their filters, where a filter that says nothing clear is refused."""

import re
from typing import Any, Final

from django_filters import BooleanFilter, NumberFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

WHOLE: Final = re.compile(r"-?[0-9]{1,9}|")
CLEAR: Final = frozenset({"true", "false", ""})  # empty as a form sends what was not filled in


class Narrowing(DjangoFilterBackend):
    """The framework's, which ignores a yes or no that is neither, and so would list everything."""

    def get_filterset(self, request: Any, queryset: Any, view: Any) -> Any:
        """Return the filters as asked; raises ValidationError."""
        filterset = super().get_filterset(request, queryset, view)
        for name, kind in filterset.filters.items() if filterset else ():
            wrong = complaint(kind, request.query_params.get(name, ""))
            if wrong:
                raise ValidationError({name: [wrong]})
        return filterset


def complaint(kind: Any, value: str) -> str:
    """Return what a filter takes instead of what was given; empty where nothing is wrong."""
    if isinstance(kind, BooleanFilter) and value.lower() not in CLEAR:
        return "must be true or false"
    if isinstance(kind, NumberFilter) and not WHOLE.fullmatch(value):
        return "must be a whole number"
    return ""
