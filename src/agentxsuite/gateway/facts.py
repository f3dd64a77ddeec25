"""What the data plane knows of one environment: plain values, read in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

from agentxsuite.engines.pdp import Agent, Member, PolicySet
from agentxsuite.engines.schemas import Schema
from agentxsuite.engines.upstream import Endpoint
from agentxsuite.engines.upstream.mirrors import Mirrors
from agentxsuite.wire import JSON


@dataclass(frozen=True, slots=True)
class Connection:
    """An upstream server; ``endpoint`` is None when its credential cannot be read.

    ``place`` is its organization and environment; ``each_call``: its tools are listed before each.
    Where people use accounts of their own, ``connect_at`` is the page to connect one, and
    ``accounts`` are the endpoints of those who have; without a ``person`` there is none.
    """

    id: str
    slug: str
    enabled: bool
    endpoint: Endpoint | None
    secret_version: int | None = None
    place: tuple[str, str] = ("", "")
    each_call: bool = False
    connect_at: str = ""
    accounts: Mapping[str, Endpoint] = field(default_factory=dict, repr=False)
    person: str = ""

    @property
    def kept_as(self) -> str:
        """What is kept open for it is kept under this id."""
        return self.endpoint.id if self.endpoint else self.id

    def of(self, person: str | None) -> "Connection":
        """The connection as this person uses it."""
        if not self.connect_at:
            return self
        return replace(self, endpoint=self.accounts.get(person or ""), person=person or "")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as it is approved now; ``schema`` is None while nothing is approved."""

    id: str
    name: str
    upstream_name: str
    mcp_name: str
    version: str
    enabled: bool
    sync_status: str
    connection: Connection
    definition: Mapping[str, JSON]
    schema: Schema | None
    attributes: Mapping[str, JSON]
    mirrors: Mirrors = ()  # arguments that callers repeat in headers

    action: ClassVar[str] = "tool.invoke"

    def of(self, person: str | None) -> "Tool":
        """The tool as this person uses it."""
        mine = self.connection.of(person)
        return self if mine is self.connection else replace(self, connection=mine)

    @property
    def target(self) -> str:
        """What policies call it."""
        return f"tool:{self.name}"

    @property
    def counted_as(self) -> str:
        """What its refusals are counted by."""
        return self.target

    @property
    def approved(self) -> bool:
        """Whether there is a definition to go by."""
        return self.schema is not None


class Proof(NamedTuple):
    """What shows who an agent is: a `kind` of proof, and what it says; two words for `oidc`.

    ``oidc`` says issuer and subject, ``secret`` and ``certificate`` a keyed fingerprint, and
    ``none``, which proves nothing, an agent's id.
    """

    kind: str
    says: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A way in: who shows the proof is the agent; ``scopes`` None means unscoped.

    ``audience`` is whom a token of an outside issuer must be for.
    """

    proof: Proof
    agent: str
    audience: str = ""
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A resource, a template of resources, or a prompt of one connection.

    ``own`` is its server's name for it, ``name`` the caller's, ``target`` the policies'. ``input``
    is what conditions see, where that does not depend on the caller's arguments.
    """

    action: str
    connection: Connection
    own: str
    name: str
    target: str
    definition: Mapping[str, JSON] = field(default_factory=dict)
    input: Mapping[str, JSON] | None = None

    @property
    def id(self) -> str:
        """What limits count by: names have no end, connections have."""
        return f"{self.connection.id}:{self.action}"

    @property
    def counted_as(self) -> str:
        """What its refusals are counted by."""
        return f"{self.target.partition('/')[0]}/**"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every fact a decision or a dispatch in one environment reads, at one revision."""

    organization: str
    environment: str
    revision: int
    attributes: Mapping[str, JSON]
    policies: PolicySet | None  # None: a stored policy does not compile, so nothing is allowed
    agents: Mapping[str, Agent]
    members: Mapping[str, Member]
    tools: Mapping[str, Tool]  # by id
    by_name: Mapping[str, Tool] = field(repr=False)  # by qualified name
    by_mcp_name: Mapping[str, Tool] = field(repr=False)
    by_upstream: Mapping[tuple[str, str], Tool] = field(repr=False)  # by slug and upstream name
    connections: Mapping[str, Connection] = field(default_factory=dict, repr=False)  # by id
    logins: Mapping[str, Sequence[Login]] = field(default_factory=dict, repr=False)  # by agent
    by_proof: Mapping[Proof, Login] = field(default_factory=dict, repr=False)

    def agent(self, reference: str) -> Agent | None:
        """Find an agent by id or by slug."""
        return self.agents.get(reference) or next(
            (agent for agent in self.agents.values() if agent.slug == reference.lower()), None
        )

    def tool(self, reference: str) -> Tool | None:
        """Find a tool by id, by qualified name or by its MCP name."""
        return (
            self.tools.get(reference)
            or self.by_name.get(reference)
            or self.by_mcp_name.get(reference)
        )

    def tool_of(self, slug: str, upstream_name: str) -> Tool | None:
        """Find a tool of one connection by the name its server gives it."""
        return self.by_upstream.get((slug, upstream_name))
