"""Lists in pages: numbered ones, and cursors for what only grows."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination, Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.serializers import ModelSerializer

SIZE, MAX_SIZE = 50, 200


class Numbered(PageNumberPagination):
    """`{count, next, previous, results}`, by `page` and `page_size`."""

    page_size = SIZE
    max_page_size = MAX_SIZE
    page_size_query_param = "page_size"


class Newest(CursorPagination):
    """`{next, previous, results}`, newest first, by `cursor` and `page_size`.

    Ordered by UUIDv7, so that a page touches one partition and new rows never shift it.
    """

    page_size = SIZE
    max_page_size = MAX_SIZE
    page_size_query_param = "page_size"
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return where to go on; raises NotFound for a cursor that we did not make."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_uuid(cursor.position):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def page(
    request: Request,
    rows: "QuerySet[Any]",
    serializer: "type[ModelSerializer[Any]]",
    pagination: type[BasePagination],
) -> Response:
    """Answer the page of `rows` that the request asks for."""
    paginator = pagination()
    found = paginator.paginate_queryset(rows, request)
    return paginator.get_paginated_response(serializer(found or [], many=True).data)


def _is_uuid(text: Any) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
