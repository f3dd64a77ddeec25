"""Approving what a person has looked at: one tool, or many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.listing import schema_of
from agentxsuite.control.catalog.models import Connection, SyncStatus, Tool
from agentxsuite.control.catalog.pinning import approve
from agentxsuite.control.problems import Conflict, NotFound, Problem
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Organization
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.schemas import SchemaRefused, inspect_schema


@dataclass(frozen=True, slots=True)
class Looked:
    """A tool, and the number of the definition that somebody looked at."""

    tool: UUID
    definition: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one approval; `code` and `detail` say why there is none."""

    tool: UUID
    definition: int
    approved: bool
    name: str | None = None
    code: str | None = None
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**asdict(self), "tool": str(self.tool)}


def approve_tools(
    actor: Actor, organization: Organization, looked: Sequence[Looked]
) -> list[Verdict]:
    """Approve each definition that was looked at; one that cannot be does not stop the others."""
    ids = [each.tool for each in looked]
    rows = access.live(Tool).filter(organization=organization, id__in=ids)
    tools = {tool.id: tool for tool in rows}
    return [_verdict(actor, tools, each) for each in looked]


def _verdict(actor: Actor, tools: Mapping[UUID, Tool], looked: Looked) -> Verdict:
    tool = tools.get(looked.tool)
    name = tool.name if tool else None
    try:
        if tool is None:
            raise NotFound
        approve_tool(actor, tool, looked.definition)
    except Problem as problem:
        told = {"name": name, "code": problem.code, "detail": problem.detail}
        return Verdict(looked.tool, looked.definition, approved=False, **told)
    return Verdict(looked.tool, looked.definition, approved=True, name=name)


def approve_tool(actor: Actor, tool: Tool, number: int | None = None) -> Tool:
    """Take the pending definition as what the tool is; `number` says which one was looked at.

    Raises NotFound, Conflict.
    """
    with changing(tool.organization_id):
        held(Connection.objects.live(), tool.connection_id)
        current = Tool.objects.live().select_related("pending").filter(pk=tool.pk).first()
        if current is None:
            raise NotFound
        pending = _approvable(current, number)
        approve(current, pending, actor.user)
        pending.save()
        current.save()
        record(
            "tool_approved",
            actor=actor,
            organization=current.organization_id,
            environment=current.environment_id,
            action="tool.approve",
            target=f"tool:{current.name}",
            data={"definition": pending.number, "sha256": pending.sha256},
        )
    return current


def _approvable(tool: Tool, number: int | None) -> Any:
    pending = tool.pending
    if pending is None or tool.sync_status != SyncStatus.PENDING_REVIEW:
        raise Conflict("Nothing of this tool waits for approval.", code="nothing_pending")
    if tool.synced_at is None:
        raise Conflict("Sync the connection first: its endpoint changed.", code="not_synced")
    if number not in {None, pending.number}:
        raise Conflict("The definition changed since you looked.", code="definition_changed")
    try:
        inspect_schema(schema_of(pending.definition))
    except SchemaRefused as error:
        detail = f"Its schema cannot be checked: {error.detail}"
        raise Conflict(detail, code="schema_refused") from None
    return pending
