"""Tools in the REST API."""

from dataclasses import asdict
from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.reach_pages import (
    ReachFilter,
    VerdictSerializer,
    agents_of_tool,
)
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.difference import difference
from agentxsuite.control.catalog.filters import ToolFilter
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.catalog.reviewing import Looked, approve_tools
from agentxsuite.control.catalog.serializers import (
    ApprovalsSerializer,
    ApproveSerializer,
    DiffSerializer,
    NewToolSerializer,
    ToolSerializer,
)
from agentxsuite.control.catalog.tools import change_tool, delete_tool, take_up
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.control.rest.elsewhere import wait_for
from agentxsuite.control.rest.onward import AFTER, ORDER, Onward
from agentxsuite.control.rest.views import WRITERS, Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.scope import seeing

TEXTS: Final = ("pending__definition", "pending__findings")  # long, and in no list


class Tools(Resource):
    """`/orgs/{org}/tools/`."""

    model = Tool
    serializer_class = ToolSerializer
    filterset_class = ToolFilter
    pagination_class = Onward
    ordering_fields = ("name", "sync_status", "synced_at", "created_at")
    ordering = ORDER
    roles = {**WRITERS, "approve": Role.ADMIN}
    outside = frozenset({"create"})

    def get_queryset(self) -> QuerySet[Tool]:
        """Return the organization's tools, each with the number of what waits for approval."""
        return super().get_queryset().select_related("pending").defer(*TEXTS)

    @extend_schema(request=NewToolSerializer, responses={201: ToolSerializer, 502: None, 504: None})
    def create(self, request: Request, **_path: Any) -> Response:
        """Take up a tool that the connection's server offers, or bring back a deleted one.

        The server is asked now; the tool is what it says. To take up all of them, sync.
        """
        with seeing():
            organization = self.organization
            asked = NewToolSerializer(data=request.data, context=self.get_serializer_context())
            asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        asking = wanted["connection"], wanted["upstream_name"], current()
        taken = wait_for(request, take_up, Actor.behind(request), *asking)
        with seeing([organization.id]):
            shown = self.get_serializer(access.one(self.get_queryset(), id=taken.id)).data
        return Response(shown, status=status.HTTP_201_CREATED)

    def change(self, actor: Actor, row: Tool, **facts: Any) -> Tool:
        """Switch a tool on or off."""
        changed = change_tool(actor, row, enabled=facts.get("enabled", row.enabled))
        return access.one(self.get_queryset(), id=changed.id)

    def end(self, actor: Actor, row: Tool) -> None:
        """Delete a tool: not callable from then on, and no sync brings it back."""
        delete_tool(actor, row)

    @extend_schema(responses=DiffSerializer)
    def diff(self, request: Request, **_path: Any) -> Response:  # noqa: ARG002 - the framework's
        """Tell what the definition that waits says that the approved one does not."""
        rows = super().get_queryset().select_related("definition", "pending")
        tool = access.one(rows, id=self.kwargs["id"])
        before, after = tool.definition, tool.pending
        changes = difference(before.definition if before else {}, after.definition) if after else []
        known = {
            "tool": tool.id,
            "name": tool.name,
            "sync_status": tool.sync_status,
            "approved": before,
            "pending": after,
            "changes": [asdict(change) for change in changes],
            "findings": after.findings if after else [],
        }
        return Response(DiffSerializer(known).data)

    @extend_schema(request=ApproveSerializer, responses=ApprovalsSerializer)
    def approve(self, request: Request, **_path: Any) -> Response:
        """Approve definitions that a person has looked at, each by its number.

        One that cannot be approved does not stop the others; `results` tells of each.
        """
        organization = self.organization
        asked = ApproveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        looked = [Looked(**each) for each in asked.validated_data["tools"]]
        verdicts = approve_tools(Actor.behind(request), organization, looked)
        return Response({"results": [verdict.as_json() for verdict in verdicts]})

    @extend_schema(
        parameters=[ReachFilter, OpenApiParameter(AFTER, exclude=True)],
        responses=VerdictSerializer(many=True),
        filters=False,
    )
    def access(self, request: Request, **_path: Any) -> Response:
        """List every agent of the tool's environment: what becomes of its calls, and why."""
        rows = super().get_queryset().select_related("environment", "connection", "definition")
        return agents_of_tool(request, access.one(rows, id=self.kwargs["id"]))
