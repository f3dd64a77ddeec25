"""Lists narrowed by their filters, where a filter that says nothing clear is refused."""

from typing import Any, Final

from django_filters.rest_framework import BooleanFilter, DjangoFilterBackend
from rest_framework.exceptions import ValidationError

CLEAR: Final = frozenset({"true", "false", ""})  # empty as a form sends what was not filled in


class Narrowing(DjangoFilterBackend):
    """The framework's, but that it ignores a yes or no that is neither would list everything."""

    def get_filterset(self, request: Any, queryset: Any, view: Any) -> Any:
        """Return the filters as asked; raises ValidationError."""
        filterset = super().get_filterset(request, queryset, view)
        for name, kind in filterset.filters.items() if filterset else ():
            unclear = request.query_params.get(name, "").lower() not in CLEAR
            if unclear and isinstance(kind, BooleanFilter):
                raise ValidationError({name: ["must be true or false"]})
        return filterset
