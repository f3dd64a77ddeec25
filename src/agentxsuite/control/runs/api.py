"""Runs and their steps in the REST API; the gateway writes them, a person can stop one."""

from typing import Any
from uuid import UUID

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.runs.models import OutcomeCode, Run, RunStatus, RunStep
from agentxsuite.control.runs.services import cancel_run
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.pages import Newest, page
from agentxsuite.control.tenancy.views import Door


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run, whole; its names are those of the time of the call."""

    class Meta:
        model = Run
        exclude = ["worker_id"]


class StepSerializer(serializers.ModelSerializer[RunStep]):
    """Something that happened in a run."""

    class Meta:
        model = RunStep
        fields = ["id", "run", "step_type", "message", "details", "timestamp"]


class RunFilter(serializers.Serializer[Any]):
    """What a list of runs can be narrowed to; agent and tool by id, or by name as it was."""

    agent = serializers.CharField(max_length=200, required=False)
    tool = serializers.CharField(max_length=512, required=False)
    status = serializers.ChoiceField(RunStatus.choices, required=False)
    outcome_code = serializers.ChoiceField(OutcomeCode.choices, required=False)

    def lookups(self) -> dict[str, Any]:
        """Return the keywords of a query; raises ValidationError."""
        self.is_valid(raise_exception=True)
        return dict(_lookup(name, value) for name, value in self.validated_data.items())


class Runs(Door):
    """`/orgs/{org}/runs/`."""

    def list(self, request: Request, org: UUID) -> Response:
        """List runs, newest first."""
        rows = _runs(request, org).filter(**RunFilter(data=request.query_params).lookups())
        return page(request, rows, RunSerializer, Newest)

    def retrieve(self, request: Request, org: UUID, run: UUID) -> Response:
        """Show one run."""
        return Response(RunSerializer(access.one(_runs(request, org), id=run)).data)

    def steps(self, request: Request, org: UUID, run: UUID) -> Response:
        """List what happened in a run, newest first."""
        found = access.one(_runs(request, org), id=run)
        rows = RunStep.objects.in_organization(found.organization_id).filter(run=found)
        return page(request, rows, StepSerializer, Newest)

    def cancel(self, request: Request, org: UUID, run: UUID) -> Response:
        """Ask for a run to be stopped; it ends within about a second."""
        found = access.one(_runs(request, org, Role.OPERATOR), id=run)
        row = cancel_run(Actor.behind(request), found)
        return Response(RunSerializer(row).data, status=status.HTTP_202_ACCEPTED)


def _runs(request: Request, org: UUID, least: Role = Role.AUDITOR) -> Any:
    organization = access.organization(access.caller(request), org, least)
    return Run.objects.in_organization(organization)


def _lookup(name: str, value: str) -> tuple[str, Any]:
    if name not in {"agent", "tool"}:
        return name, value
    try:
        return f"{name}_id", UUID(value)
    except ValueError:
        return f"{name}_name", value
