"""One list of the rows of several organizations, of which the indexes know one at a time."""

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import connection

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Merged:
    """Rows as a cursor pages them: of each organization no more are read than a page has.

    One statement still. SQLite, which cannot merge what is cut off, reads all of them by their ids.
    """

    def __init__(self, rows: "QuerySet[Any]", organizations: list[UUID]) -> None:
        self.rows, self._organizations = rows, organizations

    def order_by(self, *names: str) -> Self:
        """Order what is merged."""
        return type(self)(self.rows.order_by(*names), self._organizations)

    def filter(self, *args: Any, **lookups: Any) -> Self:
        """Narrow what is merged."""
        return type(self)(self.rows.filter(*args, **lookups), self._organizations)

    def __getitem__(self, wanted: slice) -> "QuerySet[Any]":
        """Return some of the rows."""
        several = len(self._organizations) > 1
        if not several or not connection.features.supports_slicing_ordering_in_compound:
            return self.rows.filter(organization__in=self._organizations)[wanted]
        each = [self.rows.filter(organization=own)[: wanted.stop] for own in self._organizations]
        merged = each[0].union(*each[1:], all=True)
        return merged.order_by(*self.rows.query.order_by)[wanted]
