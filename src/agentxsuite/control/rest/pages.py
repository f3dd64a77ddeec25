"""Lists in pages: numbered ones, and cursors for what only grows."""

import re
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import BasePagination, Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.serializers import ModelSerializer

    from agentxsuite.control.rest.merging import Merged

SIZE, MAX_SIZE = 50, 200
SIZED = "page_size"
LENGTH = re.compile(r"[0-9]{1,9}")


class Numbered(PageNumberPagination):
    """`{count, next, previous, results}`, by `page` and `page_size`."""

    page_size = SIZE
    max_page_size = MAX_SIZE
    page_size_query_param = SIZED

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has; raises ValidationError."""
        return length(request)


class Newest(CursorPagination):
    """`{next, previous, results}`, newest first, by `cursor` and `page_size`.

    Ordered by UUIDv7, so that a page touches one partition and new rows never shift it.
    """

    page_size = SIZE
    max_page_size = MAX_SIZE
    page_size_query_param = SIZED
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has; raises ValidationError."""
        return length(request)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return where to go on; raises NotFound for a cursor that we did not make."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_uuid(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def length(request: Request) -> int:
    """Return how many rows a page has, as asked up to a bound; raises ValidationError."""
    asked = request.query_params.get(SIZED, str(SIZE))
    if not LENGTH.fullmatch(asked) or not int(asked):
        raise ValidationError({SIZED: ["must be a whole number from 1 on"]})
    return min(int(asked), MAX_SIZE)


def page(
    request: Request,
    rows: "QuerySet[Any] | Merged",
    serializer: "type[ModelSerializer[Any]]",
    pagination: type[BasePagination],
) -> Response:
    """Answer the page of `rows` that the request asks for."""
    paginator = pagination()
    found = paginator.paginate_queryset(cast("QuerySet[Any]", rows), request)
    return paginator.get_paginated_response(serializer(found or [], many=True).data)


def _is_uuid(text: Any) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
