"""Testing a connection: whether its server answers now, and who is there."""

import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from agentxsuite import wire
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.models import Connection, ConnectionStatus
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.secretstore.services import SecretsUnavailable
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.engines.upstream import ServerInfo, UpstreamError, Upstreams
from agentxsuite.wire import JSON

PROBE_SECONDS: Final = 10.0
CLAIMED: Final = 200  # characters of what a server calls itself
CAPABILITIES: Final = 16 * 1024  # bytes
NUL, REPLACEMENT = "\0", "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test found; `code` and `reason` say why there was no answer."""

    status: str
    duration_ms: int
    code: str | None = None
    reason: str = ""
    server_info: dict[str, JSON] = field(default_factory=dict)
    last_seen_at: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether the server answered."""
        return self.status == ConnectionStatus.OK


async def probe_connection(actor: Actor, connection: Connection, upstreams: Upstreams) -> Probe:
    """Ask for a sign of life now, outside of every transaction, and write down what came of it.

    Raises NotFound for a connection that is gone.
    """
    started = time.monotonic()
    found: ServerInfo | UpstreamError | None = None
    try:
        plan = await in_thread(sync.begin, connection, actor.user)
        found = await upstreams.probe(plan.endpoint, timeout=PROBE_SECONDS)
    except SecretsUnavailable:
        pass  # told as a finding: it is what the person has to put right
    except UpstreamError as error:
        found = error
    probe = _probe(found, connection, round((time.monotonic() - started) * 1000))
    await in_thread(_note, actor, connection, probe)
    return probe


def _probe(
    found: ServerInfo | UpstreamError | None, connection: Connection, duration_ms: int
) -> Probe:
    if isinstance(found, ServerInfo):
        told, now = _told(found), timezone.now()
        return Probe(ConnectionStatus.OK, duration_ms, server_info=told, last_seen_at=now)
    code = found.code if found else "secret_unavailable"
    reason = found.detail if found else "The connection's credential cannot be read."
    seen = connection.last_seen_at
    reason = reason.replace(NUL, REPLACEMENT)
    return Probe(ConnectionStatus.FAIL, duration_ms, code, reason, {}, seen)


def _told(info: ServerInfo) -> dict[str, Any]:
    """What the server says of itself, as far as it is kept: it may say it at length."""
    known = asdict(info) | {"name": info.name[:CLAIMED], "version": info.version[:CLAIMED]}
    if len(wire.dumps(known["capabilities"])) > CAPABILITIES:
        known["capabilities"] = {}
    stored: dict[str, Any] = wire.loads(wire.without_nul(wire.dumps(known)))
    return stored


def _note(actor: Actor, connection: Connection, probe: Probe) -> None:
    """Keep the outcome, unless the connection leads elsewhere by now."""
    facts: dict[str, Any] = {"status": probe.status, "status_reason": probe.reason}
    if probe.ok:
        facts |= {"server_info": probe.server_info, "last_seen_at": probe.last_seen_at}
    with changing(connection.organization_id):
        same = Connection.objects.live().filter(id=connection.id, endpoint=connection.endpoint)
        same.update(**facts)
        record(
            "connection_tested",
            actor=actor,
            organization=connection.organization_id,
            environment=connection.environment_id,
            action="connection.test",
            target=f"connection:{connection.slug}",
            data={"status": probe.status, "code": probe.code, "reason": probe.reason},
        )
