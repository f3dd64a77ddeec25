"""How lists of evidence are narrowed: exactly, by a prefix, and by time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from rest_framework import serializers

from agentxsuite.control.rest.beginning import begins
from agentxsuite.control.tenancy.evidence import EARLY, LATE, first_id

ANY: Final = "*"

Rows = QuerySet[Any]
Narrow = Callable[[Rows, Any], Rows]


class Filters(serializers.Serializer[Any]):
    """What a list can be narrowed by: a field for each, and in `how` what each does."""

    how: ClassVar[Mapping[str, Narrow]] = {}

    def narrow(self, rows: Rows) -> Rows:
        """Return the rows that pass every filter; raises ValidationError."""
        self.is_valid(raise_exception=True)
        for name, value in self.validated_data.items():
            rows = self.how[name](rows, value)
        return rows


def equal(column: str) -> Narrow:
    """Rows whose column is the value."""

    def narrow(rows: Rows, value: Any) -> Rows:
        return rows.filter(**{column: value})

    return narrow


def matching(column: str) -> Narrow:
    """Rows whose column is the value, or begins with what stands before a `*`."""

    def narrow(rows: Rows, value: str) -> Rows:
        if not value.endswith(ANY):
            return rows.filter(**{column: value})
        return rows.filter(*begins(column, value.removesuffix(ANY)))

    return narrow


def since(column: str) -> Narrow:
    """Rows from a moment on; bounded by id too, which partitions are cut by."""

    def narrow(rows: Rows, moment: datetime) -> Rows:
        return rows.filter(**{f"{column}__gte": moment}, id__gte=first_id(moment, EARLY))

    return narrow


def until(column: str) -> Narrow:
    """Rows up to a moment, that one included."""

    def narrow(rows: Rows, moment: datetime) -> Rows:
        return rows.filter(**{f"{column}__lte": moment}, id__lte=first_id(moment, LATE))

    return narrow
