"""Runs and their steps in the REST API; the gateway writes them, a person can stop one."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.rest.narrowing import (
    Filters,
    Narrow,
    Rows,
    equal,
    matching,
    since,
    until,
)
from agentxsuite.control.rest.pages import Newest, page
from agentxsuite.control.rest.serializers import Choice
from agentxsuite.control.rest.views import Door
from agentxsuite.control.runs.models import OutcomeCode, Run, RunStatus, RunStep
from agentxsuite.control.runs.services import cancel_run
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run, whole; its names are those of the time of the call."""

    class Meta:
        model = Run
        fields = [
            "id",
            "organization",
            "environment",
            "agent",
            "agent_name",
            "tool",
            "tool_name",
            "tool_version",
            "subject",
            "run_as_user_id",
            "door",
            "decision_id",
            "timeout_seconds",
            "parent_run_id",
            "status",
            "outcome_code",
            "result_type",
            "input_json",
            "output_json",
            "error_text",
            "cancel_requested_at",
            "created_at",
            "started_at",
            "dispatched_at",
            "ended_at",
        ]
        read_only_fields = fields


class StepSerializer(serializers.ModelSerializer[RunStep]):
    """Something that happened in a run."""

    class Meta:
        model = RunStep
        fields = ["id", "run", "step_type", "message", "details", "timestamp"]
        read_only_fields = fields


def known(noun: str, name: str) -> Narrow:
    """Rows of one thing, given by its id or by its name."""

    def narrow(rows: Rows, value: str) -> Rows:
        try:
            return rows.filter(**{f"{noun}_id": UUID(value)})
        except ValueError:
            return rows.filter(**{name: value})

    return narrow


class RunFilter(Filters):
    """What a list of runs can be narrowed to.

    Agent and tool by id, or by name as it was; the environment by id or name. The subject matches
    exactly, or by prefix before a `*`.
    """

    agent = serializers.CharField(max_length=200, required=False)
    tool = serializers.CharField(max_length=512, required=False)
    environment = serializers.CharField(max_length=100, required=False)
    subject = serializers.CharField(max_length=255, required=False)
    status = Choice(RunStatus.choices, required=False)
    outcome_code = Choice(OutcomeCode.choices, required=False)
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False)

    how: ClassVar[dict[str, Narrow]] = {
        "agent": known("agent", "agent_name"),
        "tool": known("tool", "tool_name"),
        "environment": known("environment", "environment__name"),
        "subject": matching("subject"),
        "status": equal("status"),
        "outcome_code": equal("outcome_code"),
        "created_from": since("created_at"),
        "created_to": until("created_at"),
    }


class Runs(Door):
    """`/orgs/{org}/runs/`."""

    serializer_class = RunSerializer
    pagination_class = Newest

    @extend_schema(parameters=[RunFilter])
    def list(self, request: Request, org: UUID) -> Response:
        """List runs, newest first."""
        rows = RunFilter(data=request.query_params).narrow(_runs(request, org))
        return page(request, rows, RunSerializer, Newest)

    def retrieve(self, request: Request, org: UUID, run: UUID) -> Response:
        """Show one run."""
        return Response(RunSerializer(access.one(_runs(request, org), id=run)).data)

    @extend_schema(responses=StepSerializer(many=True))
    def steps(self, request: Request, org: UUID, run: UUID) -> Response:
        """List what happened in a run, newest first."""
        found = access.one(_runs(request, org), id=run)
        rows = RunStep.objects.in_organization(found.organization_id).filter(run=found)
        return page(request, rows, StepSerializer, Newest)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: RunSerializer})
    def cancel(self, request: Request, org: UUID, run: UUID) -> Response:
        """Ask for a run to be stopped; it ends within about a second."""
        found = access.one(_runs(request, org, Role.OPERATOR), id=run)
        row = cancel_run(Actor.behind(request), found)
        return Response(RunSerializer(row).data, status=status.HTTP_202_ACCEPTED)


def _runs(request: Request, org: UUID, least: Role = Role.AUDITOR) -> Any:
    organization = access.organization(access.caller(request), org, least)
    return Run.objects.in_organization(organization)
