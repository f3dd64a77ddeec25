"""How the agents of an environment may show who they are, and what shows it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models import Q, QuerySet

from agentxsuite.control.agents.models import Agent as AgentRow
from agentxsuite.control.agents.models import InboundAuthMethod
from agentxsuite.control.secretstore.marking import fingerprints_of
from agentxsuite.control.secretstore.models import Secret
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.engines.tokens import CERTIFICATE, SECRET
from agentxsuite.gateway.facts import Login, Proof, Snapshot
from agentxsuite.gateway.orm.view import Changes, merged

Logins = Mapping[str, Sequence[Login]]  # by agent


def logins_of(environment: Environment, previous: Snapshot | None, changes: Changes) -> Logins:
    """The ways in of the environment's live agents, by the agent's id."""
    rows = AgentRow.objects.filter(environment=environment, deleted_at=None)
    if previous is None:
        return read_logins(environment, rows)
    touched, accounts = changes["agent"], changes["service_account"]
    if not touched and not accounts and not changes["secret"]:
        return previous.logins
    refs = Secret.objects.filter(id__in=changes["secret"]).values("ref")
    rows = rows.filter(
        Q(id__in=touched)
        | Q(service_account_id__in=accounts)
        | Q(inbound_secret_ref__in=refs)
        | Q(mtls_cert_ref__in=refs)
    )
    return merged(previous.logins, touched, read_logins(environment, rows))


def read_logins(environment: Environment, query: "QuerySet[AgentRow]") -> dict[str, list[Login]]:
    """The ways in of the agents of a query."""
    rows = list(query.select_related("service_account"))
    refs = {ref for row in rows for ref in (row.inbound_secret_ref, row.mtls_cert_ref) if ref}
    known = fingerprints_of(environment.organization_id, environment.id, refs)
    return {str(row.id): list(ways_in(row, known)) for row in rows}


def ways_in(row: AgentRow, known: Mapping[str, str]) -> Iterator[Login]:
    """Yield what opens one agent; a method that it has not chosen does not."""
    agent, account, method = str(row.id), row.service_account, row.inbound_auth_method
    scopes = frozenset(account.scope_allowlist) if account and account.scope_allowlist else None
    if method == InboundAuthMethod.NONE:
        yield Login(Proof("none", agent), agent, scopes=scopes)
    elif method == InboundAuthMethod.MTLS:
        if pinned := known.get(row.mtls_cert_ref or ""):
            yield Login(Proof(CERTIFICATE, pinned), agent, scopes=scopes)
    else:
        if secret := known.get(row.inbound_secret_ref or ""):
            yield Login(Proof(SECRET, secret), agent, scopes=scopes)
        if account is not None and account.deleted_at is None:
            proof = Proof("oidc", account.issuer, account.subject)
            yield Login(proof, agent, account.audience, scopes)


def by_proof(logins: Logins, previous: Snapshot | None) -> Mapping[Proof, Login]:
    """The login that each proof opens; one that would open several opens none."""
    if previous is not None and logins is previous.logins:
        return previous.by_proof
    return dict(unambiguous([login for ways in logins.values() for login in ways]))


def unambiguous(logins: Sequence[Login]) -> Iterable[tuple[Proof, Login]]:
    """Yield logins by their proofs, without those that share one."""
    times = Counter(login.proof for login in logins)
    return ((login.proof, login) for login in logins if times[login.proof] == 1)
