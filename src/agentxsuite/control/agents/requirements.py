"""What an agent, or a service account, must have before it may stand: told field by field."""

from collections.abc import Iterator, Sequence
from typing import Final

from django.conf import settings

from agentxsuite.control.agents.issuers import trusted_issuers
from agentxsuite.control.agents.models import Agent, InboundAuthMethod, Mode, ServiceAccount
from agentxsuite.control.problems import Fault, Invalid
from agentxsuite.control.secretstore.inbound import KINDS, Unfit
from agentxsuite.control.secretstore.marking import mark, refs_of
from agentxsuite.control.secretstore.services import usable

SECRETS: Final = ("bearer_secret_ref", "inbound_secret_ref", "mtls_cert_ref", "mtls_key_ref")
PROOFS: Final = {"bearer": "inbound_secret_ref", "mtls": "mtls_cert_ref"}  # by way to log in
UNKNOWN_REF: Final = "There is no such secret for this environment."


def require_agent(agent: Agent) -> None:
    """Raise Invalid, with a fault for each field that keeps the agent from ever working."""
    _raise([*_credentials(agent), *_connection(agent), *_account(agent), *_secrets(agent, SECRETS)])
    _raise(list(_proof(agent)))


def require_new_account(account: ServiceAccount) -> None:
    """Raise Invalid for a login that could not be found, or that passes for one of ours."""
    _raise([*_issuer(account), *_account_facts(account)])


def require_account(account: ServiceAccount) -> None:
    """Raise Invalid for a change after which nobody could log in."""
    _raise(list(_account_facts(account)))


def _credentials(agent: Agent) -> Iterator[Fault]:
    if agent.inbound_auth_method == InboundAuthMethod.BEARER and not (
        agent.bearer_secret_ref or agent.inbound_secret_ref or agent.service_account_id
    ):
        message = "Bearer takes a service_account, an inbound_secret_ref or a bearer_secret_ref."
        yield {"path": "/inbound_auth_method", "message": message}
    if agent.inbound_auth_method == InboundAuthMethod.MTLS:
        for name in ("mtls_cert_ref", "mtls_key_ref"):
            if not getattr(agent, name):
                yield {"path": f"/{name}", "message": "Logging in by mtls takes this."}


def _connection(agent: Agent) -> Iterator[Fault]:
    connection = agent.connection
    if connection is None:
        if agent.mode == Mode.RUNNER:
            message = "A runner takes the connection whose tools it uses."
            yield {"path": "/connection", "message": message}
    elif connection.environment_id != agent.environment_id:
        message = "There is no such connection in this environment."
        yield {"path": "/connection", "message": message}


def _account(agent: Agent) -> Iterator[Fault]:
    account = agent.service_account
    if account is not None and account.environment_id not in {None, agent.environment_id}:
        message = "There is no such service account for this environment."
        yield {"path": "/service_account", "message": message}


def _secrets(row: Agent | ServiceAccount, names: Sequence[str]) -> Iterator[Fault]:
    """A ref of another tenant or environment is told as one that is not there."""
    named = {name: ref for name in names if (ref := getattr(row, name))}
    if not named:
        return
    there = usable(row.organization_id, row.environment_id, set(named.values()))
    known = set(there.values_list("ref", flat=True))
    for name, ref in named.items():
        if ref not in known:
            yield {"path": f"/{name}", "message": UNKNOWN_REF}


def _proof(agent: Agent) -> Iterator[Fault]:
    """What the agent shows must be hard to guess, and nobody else's here.

    Its secrets are there. The one that its way to log in takes gets the fingerprint that finds it.
    """
    field = PROOFS.get(agent.inbound_auth_method)
    ref = getattr(agent, field) if field else None
    if not field or not ref:
        return
    try:
        known = mark(agent.organization_id, agent.environment_id, ref, KINDS[field])
    except Unfit as unfit:
        yield {"path": f"/{field}", "message": str(unfit)}
        return
    others = Agent.objects.live().filter(environment=agent.environment_id).exclude(id=agent.id)
    if others.filter(**{f"{field}__in": refs_of(agent.organization_id, known)}).exists():
        message = "Another agent of this environment logs in with the same."
        yield {"path": f"/{field}", "message": message}


def _issuer(account: ServiceAccount) -> Iterator[Fault]:
    if _ours(account):
        message = "This server itself: leave it out and it is chosen for you."
        yield {"path": "/issuer", "message": message}
    trusted = trusted_issuers().get(account.issuer)
    if trusted is not None and not trusted.serves(str(account.organization_id)):
        message = "This server does not take this issuer's tokens for your organization."
        yield {"path": "/issuer", "message": message}
    if bool(account.issuer) != bool(account.subject):
        message = "Issuer and subject are given together or not at all."
        yield {"path": "/subject", "message": message}


def _account_facts(account: ServiceAccount) -> Iterator[Fault]:
    if account.issuer and not account.audience and not _ours(account):
        message = "Say which audience the tokens of an outside issuer must be for."
        yield {"path": "/audience", "message": message}
    yield from _secrets(account, ("credential_ref",))


def _ours(account: ServiceAccount) -> bool:
    return account.issuer.rstrip("/").lower() == settings.PUBLIC_URL.lower()


def _raise(found: list[Fault]) -> None:
    if found:
        raise Invalid(f"{found[0]['path']}: {found[0]['message']}", found)
