"""What is decided about: policies as stored, and requests as the server resolved them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentxsuite.engines.pdp.paths import Absent
from agentxsuite.wire import JSON

ALLOW = "allow"
DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as stored; ``conditions`` and ``terms`` are raw JSON."""

    id: str
    name: str
    position: int
    action: str
    target: str
    effect: str
    conditions: JSON = None
    terms: Mapping[str, JSON] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a policy applies; a higher ``priority`` names the determining rule first."""

    scope_type: str
    scope_id: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules and bindings of one version; ``environment`` None means every environment."""

    id: str
    name: str
    version: int
    organization: str
    environment: str | None
    active: bool
    rules: tuple[Rule, ...]
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do; ids come from the server, never from a caller's body.

    ``attributes`` holds plain dicts under ``principal env tool request context``; ``input`` stands
    apart because a list does not know it.
    """

    organization: str
    environment: str
    action: str
    target: str
    agent: str | None = None
    user: str | None = None
    roles: tuple[str, ...] = ()
    tool: str | None = None
    attributes: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    input: JSON | Absent = Absent.UNKNOWN
