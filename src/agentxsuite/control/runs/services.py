"""What a person may do to a run; the gateway does the rest."""

from django.utils import timezone

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Conflict
from agentxsuite.control.runs.models import Run, RunStatus
from agentxsuite.control.tenancy.scope import changing


def cancel_run(actor: Actor, run: Run) -> Run:
    """Ask the worker of a run to stop it; asking again changes nothing.

    Raises Conflict for a run that is over.
    """
    with changing(run.organization_id):
        unfinished = Run.objects.filter(
            id=run.id, status__in=[RunStatus.PENDING, RunStatus.RUNNING]
        )
        if unfinished.filter(cancel_requested_at=None).update(cancel_requested_at=timezone.now()):
            record(
                "run_cancel_requested",
                actor=actor,
                organization=run.organization_id,
                environment=run.environment_id,
                action="run.cancel",
                target=f"run:{run.id}",
                data={"tool": run.tool_name, "agent": run.agent_name},
            )
        elif not unfinished.exists():
            raise Conflict("The run is over.", code="run_ended")
        run.refresh_from_db()
        return run
