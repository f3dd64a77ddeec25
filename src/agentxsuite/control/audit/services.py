"""Writing down who changed what: one function, called inside the transaction of the change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NotRequired, Protocol, Self, TypedDict, Unpack
from uuid import UUID

from rest_framework.request import Request

from agentxsuite import wire
from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.wire import JSON

if TYPE_CHECKING:
    from agentxsuite.control.tenancy.models import Environment, Organization, User

VERBS: Final[Mapping[str, str]] = {
    "added": "add",
    "changed": "change",
    "created": "create",
    "deleted": "delete",
    "rotated": "rotate",
    "stored": "store",
}


@dataclass(frozen=True)
class Actor:
    """Who acts: `subject` is `agent:<id>`, `user:<id>`, `client:<id>` or `anonymous`.

    `user` is the person where it is one; `address` and `client` tell where it came from.
    """

    subject: str
    user: "User | None" = None
    address: str = ""
    client: str = ""

    @classmethod
    def person(cls, user: "User", address: str = "", client: str = "") -> Self:
        """Return the actor that a known person is."""
        return cls(f"user:{user.id}", user, address, client)

    @classmethod
    def behind(cls, request: Request) -> Self:
        """Return the person whose request it is, or `anonymous`, and where it came from."""
        address = request.META.get("REMOTE_ADDR", "")
        client = request.META.get("HTTP_USER_AGENT", "")[:200]
        if request.user.is_authenticated:
            return cls.person(request.user, address, client)
        return cls("anonymous", None, address, client)


class Placed(Protocol):
    """A row of an organization, in one of its environments or in all of them."""

    @property
    def organization_id(self) -> UUID:
        """Whose it is."""
        ...

    @property
    def environment_id(self) -> UUID | None:
        """Where it is."""
        ...


class Deed(TypedDict):
    """What was done: an `action` on a `target`; `data` says what changed, never a secret."""

    organization: "Organization | UUID | None"
    action: str
    target: str
    environment: "NotRequired[Environment | UUID | None]"
    decision: NotRequired[Literal["allow", "deny", ""]]
    data: NotRequired[Mapping[str, JSON] | None]


def record(event_type: EventType, *, actor: Actor, **deed: Unpack[Deed]) -> AuditEvent:
    """Write one event; in the caller's transaction, so that it stands exactly if the change does.

    Keywords are those of `Deed`. `organization` None is the log of the installation; `decision`
    is `allow` unless told. Raises TypeError for `data` that is not JSON.
    """
    return AuditEvent.objects.create(
        event_type=event_type,
        organization_id=_id(deed["organization"]),
        environment_id=_id(deed.get("environment")),
        subject=actor.subject,
        action=deed["action"],
        target=deed["target"],
        decision=deed.get("decision", "allow"),
        event_data=_storable(deed.get("data") or {}),
        context=_storable(_context(actor)),
    )


def record_change(
    event_type: EventType, actor: Actor, row: Placed, name: object, data: Mapping[str, JSON]
) -> AuditEvent:
    """Write what became of a row: `agent_changed` tells of `agent.change` on `agent:<name>`."""
    kind, _, done = event_type.rpartition("_")
    return record(
        event_type,
        actor=actor,
        organization=row.organization_id,
        environment=row.environment_id,
        action=f"{kind}.{VERBS[done]}",
        target=f"{kind}:{name}",
        data=data,
    )


def _context(actor: Actor) -> dict[str, JSON]:
    """Where it came from, under the names that the gateway's events use too."""
    known = {"ip": actor.address, "client": actor.client}
    if actor.user is not None:
        known["user_email"] = actor.user.email
    return {name: value for name, value in known.items() if value}


def _id(row: "Organization | Environment | UUID | None") -> UUID | None:
    return row if row is None or isinstance(row, UUID) else row.id


def _storable(value: Mapping[str, JSON]) -> JSON:
    body = wire.dumps(dict(value))
    return wire.loads(wire.without_nul(body)) if wire.holds_nul(body) else value
