"""Numbered pages of long lists, whose `next` says which row it follows: none before is read again.

Whoever jumps to a page by its number alone is answered as well, by counting rows up to it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from agentxsuite.control.rest.pages import Numbered

if TYPE_CHECKING:
    Pages = Paginator[Any]
else:
    Pages = Paginator

AFTER: Final = "after"
ORDER: Final = ("name", "id")


class Mark(NamedTuple):
    """The number of a page, and the row that it follows."""

    page: int
    name: str
    row: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `written` made; raises ValueError for anything else."""
        page, name, row = json.loads(urlsafe_b64decode(text))
        if b"\0" in name.encode():  # which no database looks for
            raise ValueError(name)
        return cls(int(page), name, str(UUID(row)))

    def written(self) -> str:
        """Return it as a word of a link."""
        return urlsafe_b64encode(json.dumps(self).encode()).decode()

    def rest(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the rows behind it; the first condition is the one that an index is entered by."""
        beyond = Q(name__gt=self.name) | Q(id__gt=self.row)
        return rows.filter(beyond, name__gte=self.name)


class Following(Pages):
    """Pages, of which one begins behind a mark."""

    def __init__(self, mark: Mark | None, rows: "QuerySet[Any]", size: int) -> None:
        super().__init__(rows, size)
        self._rows, self._mark = rows, mark

    def page(self, number: Any) -> "Page[Any]":
        """Return a page by its number; raises InvalidPage."""
        known = self.validate_number(number)
        if self._mark is None or self._mark.page != known or not _in_order(self._rows):
            return super().page(known)
        return Page(self._mark.rest(self._rows)[: self.per_page], known, self)


class Onward(Numbered):
    """Numbered pages of rows in the order of their names."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """Return the rows of the page that was asked for; raises NotFound for a mark not ours."""
        given = request.query_params.get(AFTER)
        try:
            mark = Mark.read(given) if given else None
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise NotFound("The link does not say where to go on.") from None
        self._ordered = _in_order(queryset)
        self.django_paginator_class = partial(Following, mark)  # type: ignore[assignment]  # made once
        return super().paginate_queryset(queryset, request, view)

    def get_next_link(self) -> str | None:
        """Return the address of the next page, and what it follows."""
        link: str | None = super().get_next_link()
        page = self.page
        if link is None or page is None or not self._ordered:
            return link
        last = page[len(page) - 1]
        mark = Mark(page.next_page_number(), last.name, str(last.id))
        return replace_query_param(link, AFTER, mark.written())

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe what a link may hold."""
        told = "Where a page goes on, as `next` says it; without it rows are counted."
        after = {"name": AFTER, "in": "query", "required": False, "description": told}
        known: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        return [*known, {**after, "schema": {"type": "string"}}]


def _in_order(rows: "QuerySet[Any]") -> bool:
    return rows.query.order_by == ORDER
