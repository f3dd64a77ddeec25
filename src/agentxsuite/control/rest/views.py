"""The bases of the REST API's views: each answers within a scope, which the tenant door fills.

`Door` is any of them. `Resource` is a kind of row that an organization has many of: it is listed,
shown, made, changed and deleted in the same way whatever it is, and says only what is its own.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any, ClassVar

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.problems import Conflict, Unavailable
from agentxsuite.control.rest.answers import plain
from agentxsuite.control.rest.filtering import Narrowing
from agentxsuite.control.rest.pages import Numbered
from agentxsuite.control.rest.repeatable import Repeatable, is_keyed
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Organization, Role
from agentxsuite.control.tenancy.scope import seeing

log = logging.getLogger(__name__)

WRITERS: Mapping[str, Role] = {
    "create": Role.ADMIN,
    "update": Role.ADMIN,
    "partial_update": Role.ADMIN,
    "destroy": Role.ADMIN,
}


class Door(Repeatable):
    """Sees no organization's rows before `access` has let the caller in.

    Actions named in `outside` wait for somebody else meanwhile; no transaction stays open for
    them, and they open scopes of their own.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer one request in one scope."""
        try:
            with self._scope(request):
                return super().dispatch(request, *args, **kwargs)
        except IntegrityError:  # found when everything was to be committed
            return plain(Conflict("What this refers to has just changed; look again."))
        except (OperationalError, InterfaceError):
            log.exception("the database does not answer")
            return plain(Unavailable())

    @contextmanager
    def _scope(self, request: HttpRequest) -> Iterator[None]:
        """What a request is answered in; with a key it is one transaction on SQLite, too."""
        if self.action_map.get((request.method or "").lower()) in self.outside:
            yield
            return
        with transaction.atomic() if is_keyed(self, request) else nullcontext(), seeing():
            yield


class Resource(Door):
    """Rows of the organization in the path: `/orgs/{org}/<kind>/` and `/orgs/{org}/<kind>/{id}/`.

    A kind has `model`, `serializer_class`, what its lists can be narrowed to (`filterset_fields`)
    and ordered by (`ordering_fields`), the role each action needs (VIEWER where `roles` says
    nothing), and the services that `make`, `change` and `end` call.
    """

    model: ClassVar[type[Model]]
    roles: ClassVar[Mapping[str, Role]] = WRITERS
    related: ClassVar[tuple[str, ...]] = ()  # what a row shows of others, read together with it
    filter_backends = (Narrowing, OrderingFilter)
    pagination_class = Numbered
    lookup_field = "id"
    ordering = ("-created_at", "id")

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> Model:
        """Make a row; raises a Problem."""
        raise NotImplementedError

    def change(self, actor: Actor, row: Any, **facts: Any) -> Model:
        """Change what `facts` names of a row; raises a Problem."""
        raise NotImplementedError

    def end(self, actor: Actor, row: Any) -> None:
        """Delete a row; raises a Problem."""
        raise NotImplementedError

    @cached_property
    def organization(self) -> Organization:
        """The organization in the path, once the caller's role there suffices for the action."""
        least = self.roles.get(self.action, Role.VIEWER)
        return access.organization(access.caller(self.request), self.kwargs["org"], least)

    def get_queryset(self) -> QuerySet[Any]:
        """Return the organization's live rows; raises NotFound or Forbidden."""
        rows = access.live(self.model).filter(organization=self.organization)
        return rows.select_related(*self.related) if self.related else rows

    def get_object(self) -> Any:
        """Return the row in the path; raises NotFound."""
        return access.one(self.get_queryset(), id=self.kwargs[self.lookup_field])

    def get_serializer_context(self) -> dict[str, Any]:
        """Tell serializers whose rows a field may name."""
        return {**super().get_serializer_context(), "organization": self.organization}

    def list(self, request: Request, **_path: Any) -> Response:  # noqa: ARG002 - the framework's
        """List the rows, newest first unless `ordering` says otherwise."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, **_path: Any) -> Response:  # noqa: ARG002 - as above
        """Show one row."""
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Request, **_path: Any) -> Response:
        """Make a row."""
        asked = self.asked(request)
        row = self.make(Actor.behind(request), self.organization, **asked)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def update(self, request: Request, **_path: Any) -> Response:
        """Replace what can be changed of a row; what is left out becomes its default."""
        return self._changed(request, partial=False)

    def partial_update(self, request: Request, **_path: Any) -> Response:
        """Change what is named of a row."""
        return self._changed(request, partial=True)

    def destroy(self, request: Request, **_path: Any) -> Response:
        """Delete a row."""
        self.end(Actor.behind(request), self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def asked(self, request: Request, row: Any = None, *, partial: bool = False) -> dict[str, Any]:
        """Return what the body asks for, checked; raises ValidationError."""
        serializer = self.get_serializer(row, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _changed(self, request: Request, *, partial: bool) -> Response:
        row = self.get_object()
        asked = self.asked(request, row, partial=partial)
        changed = self.change(Actor.behind(request), row, **asked)
        return Response(self.get_serializer(changed).data)
