"""Changes as the story of a call makes them, and what is left of them on record."""

from datetime import timedelta
from uuid import uuid4

from asgiref.sync import sync_to_async
from msgspec import structs

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import IdempotencyKey, Run, RunStep
from agentxsuite.gateway import rows
from agentxsuite.gateway.authorize import decide
from agentxsuite.gateway.call import Outcome, Step, new_id
from tests.unit.gateway.building import (
    NOON,
    ORGANIZATION,
    entry,
    policy_set,
    principal,
    rule,
    tool,
)

FOREIGN = str(uuid4())  # another organization


def begun(**facts):
    """An entry whose run is about to start."""
    known = entry(started=NOON, **facts)
    known.decision = decide(principal(policy_set(rule("allow"))), tool(), known.call)
    known.steps.append(Step("decision", "allow", {"rule": "r"}, NOON))
    return known


def ending(known, *, seconds=0, is_error=False):
    """The end of its run, so many seconds later."""
    known.outcome = Outcome({"content": []}, is_error=is_error)
    known.ended = NOON + timedelta(seconds=seconds)
    known.steps.append(Step("upstream", "The tool answered.", {}, NOON))
    return rows.finished(known)


def keyed(known, key="once", **facts):
    """The start of its run, under a key."""
    row = {
        "id": new_id(),
        "organization_id": ORGANIZATION,
        "created_at": rows.stamp(NOON),
        "principal": "agent:clerk",
        "method": "POST",
        "path": "/somewhere/",
        "key": key,
        "digest": "0" * 64,
        "run_id": known.run_id,
    }
    return structs.replace(rows.started(known), key=row | facts)


def releasing(change):
    """The same end, which gives the key free."""
    return structs.replace(change, release=True)


@sync_to_async
def left():
    """How many runs, steps, events and keys are on record."""
    return tuple(model.objects.count() for model in (Run, RunStep, AuditEvent, IdempotencyKey))


@sync_to_async
def run_of(known):
    """The run on record."""
    return Run.objects.get(id=known.run_id)
