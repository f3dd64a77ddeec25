"""One comparison of a connection's tools with what its server says, in its parts.

What is said while the database waits is kept short, and nothing is held in the database while the
server is asked: a long list is written in chunks, each in its own transaction, with rests between
them. Another sync that finishes meanwhile, or an edit of the connection, makes the list at hand
worthless: `Superseded`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog.accounts import endpoint_for
from agentxsuite.control.catalog.endpoints import endpoint_of, is_personal
from agentxsuite.control.catalog.listing import Listing, Offer, Unacceptable, read_listing
from agentxsuite.control.catalog.models import Connection, ConnectionStatus
from agentxsuite.control.catalog.pace import Pace
from agentxsuite.control.catalog.pinning import Pinned, pin, vanish
from agentxsuite.control.problems import NotFound, Problem
from agentxsuite.control.secretstore.services import SecretsUnavailable, reveal_many
from agentxsuite.control.secretstore.values import SecretUnreadable
from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.scope import changing, seeing
from agentxsuite.engines.upstream import Endpoint, UpstreamError, UpstreamTimeout
from agentxsuite.wire import JSON

CHUNK = 20  # tools in one transaction: SQLite has one writer, and calls wait behind it
TOLD = 100  # names of one kind in an event


class UpstreamFailed(Problem):
    """The server could not be listed; `code` is the upstream engine's."""

    status = 502
    title = "Upstream failed"


class UpstreamSlow(UpstreamFailed):
    """The server did not answer in time."""

    status = 504
    title = "Upstream timeout"


class Superseded(Exception):
    """The list at hand is older than what the database says."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync found, as names of tools, each list sorted.

    `quarantined` are all offered tools that wait for a review now; `findings` say why the scan or
    the schema check stopped at them, and which tools could not be taken in at all.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    findings: tuple[dict[str, str], ...] = ()

    def as_json(self) -> dict[str, JSON]:
        """Return plain JSON."""
        lists = ("added", "changed", "unchanged", "returned", "vanished", "quarantined", "findings")
        return {name: list(getattr(self, name)) for name in lists}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync goes by: the connection as it was when its server was asked."""

    id: UUID
    organization: UUID
    slug: str
    url: str
    synced_at: datetime | None
    endpoint: Endpoint
    secret_version: int | None


@dataclass(slots=True)
class Tally:
    """What the chunks found so far."""

    names: dict[str, list[str]] = field(default_factory=dict)
    findings: list[dict[str, str]] = field(default_factory=list)

    def add(self, kind: str, *names: str) -> None:
        """Count tools under a field of the report."""
        self.names.setdefault(kind, []).extend(names)

    def report(self) -> SyncReport:
        """Return the whole."""
        sorted_names: dict[str, Any] = {kind: tuple(sorted(n)) for kind, n in self.names.items()}
        return SyncReport(**sorted_names, findings=tuple(self.findings))


def begin(known: Connection, user: User | None = None) -> Plan:
    """Read what is to be asked of a connection now, and as whom.

    Raises NotFound, AccountNeeded, SecretsUnavailable.
    """
    with seeing([known.organization_id]):
        return _planned(known.id, user)


def _planned(connection_id: UUID, user: User | None) -> Plan:
    connection = _live(connection_id).first()
    if connection is None:
        raise NotFound
    refs = [connection.secret_ref] if connection.secret_ref else []
    revealed = reveal_many(connection.organization_id, connection.environment_id, refs)
    try:
        personal = is_personal(connection)
        endpoint = endpoint_for(connection, user) if personal else endpoint_of(connection, revealed)
    except SecretUnreadable:
        raise SecretsUnavailable from None
    version = next((each.version for each in revealed.values()), None)
    return Plan(
        id=connection.id,
        organization=connection.organization_id,
        slug=connection.slug,
        url=connection.endpoint,
        synced_at=connection.synced_at,
        endpoint=endpoint,
        secret_version=version,
    )


def fail(actor: Actor, plan: Plan, error: UpstreamError | Unacceptable) -> UpstreamFailed:
    """Write down that the server could not be listed, and return what to tell the caller."""
    with changing(plan.organization):
        connection = _live(plan.id).first()
        if connection is not None:
            reason = error.detail.replace("\0", "\ufffd")[:1000]  # PostgreSQL refuses NUL
            _note(connection, status=ConnectionStatus.FAIL, status_reason=reason)
            _record(actor, plan, connection, {"error": error.code})
    kind = UpstreamSlow if isinstance(error, UpstreamTimeout) else UpstreamFailed
    return kind(error.code, error.detail)


def settle(actor: Actor, plan: Plan, definitions: Sequence[dict[str, JSON]]) -> SyncReport:
    """Compare a fresh list with what is stored; raises Unacceptable, Superseded, NotFound."""
    listing = read_listing(plan.slug, definitions)
    tally = Tally(findings=[finding.as_json() for finding in listing.refused])
    pace = Pace()
    for chunk in _chunks(list(listing.offers.values())):
        pace.rest()
        with changing(plan.organization):
            connection = _held(plan)
            for pinned in pin(connection, chunk, first=connection.synced_at is None):
                _tell(actor, connection, pinned, tally)
    with changing(plan.organization):
        _close(actor, plan, listing, tally)
    return tally.report()


def _close(actor: Actor, plan: Plan, listing: Listing, tally: Tally) -> None:
    """Mark what has vanished and that the sync is complete; only then is it no longer the first."""
    connection, now = _held(plan), timezone.now()
    tally.add("vanished", *vanish(connection, listing.offers))
    _note(
        connection,
        status=ConnectionStatus.OK,
        status_reason="",
        last_seen_at=now,
        synced_at=now,
    )
    told = {kind: names[:TOLD] for kind, names in tally.names.items() if kind != "unchanged"}
    counts = {kind: len(names) for kind, names in tally.names.items()}
    _record(actor, plan, connection, {"counts": counts, **told})


def _tell(actor: Actor, connection: Connection, pinned: Pinned, tally: Tally) -> None:
    name = pinned.tool.name
    tally.add(_kind(pinned), name)
    if not pinned.quarantined:
        return
    tally.add("quarantined", name)
    findings = [{"tool": name, **finding.as_json()} for finding in pinned.offer.findings]
    tally.findings.extend(findings)
    if pinned.changed:
        record(
            "tool_quarantined",
            actor=actor,
            organization=connection.organization_id,
            environment=connection.environment_id,
            action="tool.quarantine",
            target=f"tool:{name}",
            data={
                "definition": pinned.definition.number,
                "sha256": pinned.definition.sha256,
                "approved": pinned.tool.version,
                "findings": findings,
            },
        )


def _kind(pinned: Pinned) -> str:
    if pinned.born:
        return "added"
    if pinned.returned:
        return "returned"
    return "changed" if pinned.changed else "unchanged"


def _chunks(offers: list[Offer]) -> Iterator[list[Offer]]:
    for start in range(0, len(offers), CHUNK):
        yield offers[start : start + CHUNK]


def _live(connection_id: UUID) -> Any:
    return Connection.objects.live().filter(
        id=connection_id, environment__deleted_at=None, organization__deleted_at=None
    )


def _held(plan: Plan) -> Connection:
    """The connection, which nobody else changes until the transaction ends."""
    connection: Connection | None = (
        _live(plan.id).select_for_update(of=("self",), no_key=True).first()
    )
    if connection is None:
        raise NotFound
    if (connection.endpoint, connection.synced_at) != (plan.url, plan.synced_at):
        raise Superseded
    return connection


def _note(connection: Connection, **facts: Any) -> None:
    Connection.objects.filter(id=connection.id).update(**facts)


def _record(actor: Actor, plan: Plan, connection: Connection, data: dict[str, JSON]) -> None:
    record(
        "connection_synced",
        actor=actor,
        organization=connection.organization_id,
        environment=connection.environment_id,
        action="connection.sync",
        target=f"connection:{connection.slug}",
        data={"secret_version": plan.secret_version, **data},
    )
