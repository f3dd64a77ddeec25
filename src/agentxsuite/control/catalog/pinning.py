"""Comparing what a server says with what was approved, and writing down the difference.

A tool's approved definition stands while its `approved_at` does; a changed endpoint withdraws it.
Whatever is not the standing definition waits in `pending`, and the tool is not callable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Coalesce
from django.utils import timezone

from agentxsuite.control.catalog.listing import Offer, schema_of
from agentxsuite.control.catalog.models import Connection, SyncStatus, Tool, ToolDefinition
from agentxsuite.control.tenancy.models import User

WRITTEN = (
    "definition",
    "pending",
    "sync_status",
    "version",
    "description",
    "schema_json",
    "synced_at",
)


@dataclass(slots=True)
class Pinned:
    """One offered tool beside what is stored of it, before and after."""

    tool: Tool
    offer: Offer
    definition: ToolDefinition
    born: bool
    before: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Remember how it was."""
        self.before = self.state()

    def state(self) -> tuple[object, ...]:
        """Return what decides whether the tool can be called, and as what."""
        return self.tool.sync_status, self.tool.definition_id, self.tool.pending_id

    @property
    def quarantined(self) -> bool:
        """Whether the tool now waits for a person."""
        return self.tool.sync_status == SyncStatus.PENDING_REVIEW

    @property
    def changed(self) -> bool:
        """Whether anything about it is new."""
        return self.born or self.state() != self.before

    @property
    def returned(self) -> bool:
        """Whether it had vanished and is there again."""
        return self.before[0] == SyncStatus.STALE


def pin(connection: Connection, offers: Sequence[Offer], *, first: bool) -> list[Pinned]:
    """Store what is new among `offers` and judge every tool that they speak of.

    The caller holds the connection in a transaction. Where it is the connection's `first` sync, new
    tools without findings are taken as they are. Deleted tools stay deleted.
    """
    tools, born = _tools(connection, offers)
    known = _definitions(tool for tool in tools.values() if tool.id not in born)
    made: list[ToolDefinition] = []
    pinned = []
    for offer in offers:
        tool = tools[offer.upstream_name]
        if tool.deleted_at is None:
            definition = known.find(tool, offer) or known.add(tool, offer, made)
            pinned.append(Pinned(tool, offer, definition, tool.id in born))
    for each in pinned:
        _judge(each, trusted=first and each.born and not each.offer.findings)
    _write([each.tool for each in pinned if each.changed], made)
    same = [each.tool.id for each in pinned if not each.changed]
    Tool.objects.filter(id__in=same).update(synced_at=timezone.now())
    return pinned


def approve(tool: Tool, definition: ToolDefinition, by: User | None) -> None:
    """Make `definition` what the tool is from now on; the caller saves both."""
    definition.approved_at, definition.approved_by = timezone.now(), by
    tool.definition, tool.pending = definition, None
    tool.sync_status = SyncStatus.SYNCED
    tool.version = str(definition.number)
    tool.description = str(definition.definition.get("description") or "")
    tool.schema_json = schema_of(definition.definition)


def vanish(connection: Connection, offered: Iterable[str]) -> list[str]:
    """Mark the tools that the server no longer lists; returns their names."""
    here = Tool.objects.live().filter(connection=connection)
    rows = here.exclude(sync_status=SyncStatus.STALE).values_list("id", "upstream_name", "name")
    still = set(offered)
    gone = {tool: name for tool, upstream_name, name in rows if upstream_name not in still}
    Tool.objects.filter(id__in=gone).update(sync_status=SyncStatus.STALE)
    return sorted(gone.values())


def withdraw(connection: Connection) -> list[str]:
    """Send all tools of a connection to review, as if nothing was approved; returns their names.

    None can be approved again before the server has been listed at its new address.
    """
    tools = Tool.objects.live().filter(connection=connection)
    standing = ToolDefinition.objects.filter(id__in=tools.values("definition"))
    standing.update(approved_at=None, approved_by=None)
    tools.update(
        pending=Coalesce("pending", "definition"),
        sync_status=SyncStatus.PENDING_REVIEW,
        synced_at=None,
    )
    return sorted(tools.values_list("name", flat=True))


class _Definitions:
    """The definitions of some tools, by tool and digest; their texts are not read."""

    def __init__(self, rows: Iterable[ToolDefinition]) -> None:
        stored = list(rows)
        self._by_digest = {(row.tool_id, row.sha256): row for row in stored}
        self._last: dict[object, int] = {}
        for row in stored:
            self._last[row.tool_id] = max(row.number, self._last.get(row.tool_id, 0))

    def find(self, tool: Tool, offer: Offer) -> ToolDefinition | None:
        """Return the definition that says the same, if the tool ever had it."""
        return self._by_digest.get((tool.id, offer.digest))

    def add(self, tool: Tool, offer: Offer, made: list[ToolDefinition]) -> ToolDefinition:
        """Number a new definition and put it into `made`."""
        definition = ToolDefinition(
            organization_id=tool.organization_id,
            tool=tool,
            number=self._last.get(tool.id, 0) + 1,
            sha256=offer.digest,
            definition=dict(offer.definition),
            findings=[finding.as_json() for finding in offer.findings],
        )
        made.append(definition)
        return definition


def _judge(pinned: Pinned, *, trusted: bool) -> None:
    tool, definition = pinned.tool, pinned.definition
    if trusted:
        approve(tool, definition, None)
    elif definition.id == tool.definition_id and definition.approved_at is not None:
        tool.pending, tool.sync_status = None, SyncStatus.SYNCED
    else:
        tool.pending, tool.sync_status = definition, SyncStatus.PENDING_REVIEW


def _tools(connection: Connection, offers: Sequence[Offer]) -> tuple[dict[str, Tool], set[object]]:
    """The tools that are offered, by upstream name, and the ids of those made here, unsaved."""
    names = [offer.upstream_name for offer in offers]
    tools = {row.upstream_name: row for row in connection.tools.filter(upstream_name__in=names)}
    fresh = [
        Tool(
            organization_id=connection.organization_id,
            environment_id=connection.environment_id,
            connection=connection,
            name=offer.name,
            upstream_name=offer.upstream_name,
        )
        for offer in offers
        if offer.upstream_name not in tools
    ]
    return tools | {tool.upstream_name: tool for tool in fresh}, {tool.id for tool in fresh}


def _write(tools: Sequence[Tool], definitions: Sequence[ToolDefinition]) -> None:
    """Store new and changed tools, each by one insert that becomes an update where it exists.

    Tools come first, though they name their definitions: that is checked when all is committed,
    and what a definition belongs to is there when the database notes its change.
    """
    now = timezone.now()
    for tool in tools:
        tool.synced_at = now
    Tool.objects.bulk_create(
        tools, update_conflicts=True, update_fields=WRITTEN, unique_fields=["id"]
    )
    ToolDefinition.objects.bulk_create(definitions)


def _definitions(tools: Iterable[Tool]) -> _Definitions:
    return _Definitions(ToolDefinition.objects.filter(tool__in=tools).defer("definition"))
