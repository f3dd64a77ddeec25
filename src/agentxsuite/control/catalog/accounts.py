"""People's own accounts at the servers of connections: connecting one, and disconnecting it.

RFC 6749 section 4.1 with PKCE (RFC 7636), the resource (RFC 8707) and the issuer (RFC 9207). Each
connection has an address of its own to come back to, so that servers which do not say who they are
cannot be mixed up either (RFC 9700 section 4.4.2.2).
"""

from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.catalog import upstreams
from agentxsuite.control.catalog.begun import Begun, resumed, started
from agentxsuite.control.catalog.endpoints import client_of, is_personal, personal_endpoint
from agentxsuite.control.catalog.lent import Loan, keep
from agentxsuite.control.catalog.models import Account, Connection
from agentxsuite.control.catalog.threads import in_thread
from agentxsuite.control.problems import Conflict, Forbidden, NotFound, Problem
from agentxsuite.control.secretstore.services import SecretsUnavailable, reveal_many
from agentxsuite.control.secretstore.values import Revealed
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role, User
from agentxsuite.control.tenancy.saving import held, save
from agentxsuite.control.tenancy.scope import changing, seeing
from agentxsuite.engines.upstream import (
    AuthorizationServer,
    Client,
    Endpoint,
    UpstreamError,
    UpstreamProtocolError,
    ask_token,
    check_endpoint,
    lent_by,
    server_of,
)

CALLBACK: Final = "/account/callback/"
CONNECT: Final = "/account/connect/"
WEB: Final = ("https://", "http://")  # the latter where EGRESS_ALLOW opens it


class NotLent(Problem):
    """The other server lends nothing; `detail` says why."""

    status = 502
    title = "Upstream failed"


class AccountNeeded(Conflict):
    """A person's own account is used there, and they have connected none."""

    def __init__(self, connection: Connection) -> None:
        told = f"Connect your own account there first: open {connect_url(connection)}"
        super().__init__(told, code="account_needed")


async def begin(connection: Connection, user: User) -> str:
    """Return where the person goes to lend access to their account.

    Raises Conflict for a connection that all share, NotLent where its server does not say where.
    """
    client = await in_thread(_client, connection)
    try:
        server = await server_of(upstreams.egress(), client)
        _check_server(server)
    except UpstreamError as error:
        raise NotLent(error.code, error.detail) from None
    return _asking(client, server, connection, started(connection, user, server))


async def finish(
    actor: Actor, user: User, connection_id: UUID, answer: dict[str, str]
) -> Connection:
    """Take what the other server sent the person back with; return the connection.

    Raises Invalid for an answer to nothing that this person began, Forbidden, NotLent, NotFound.
    """
    begun = resumed(connection_id, user, answer.get("state", ""))
    connection = await in_thread(_reached, user, connection_id)
    begun.check_unchanged(connection)
    if "code" not in answer:
        raise Forbidden("Access to the account was not granted.", code="access_refused")
    client = await in_thread(_client, connection)
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": redirect_uri(connection),
        "code_verifier": begun.verifier(),
    }
    egress = upstreams.egress()
    try:
        server = await server_of(egress, client)
        begun.check_answerer(server, answer.get("iss"))
        lent = await ask_token(egress, client, form, server=server)
    except UpstreamError as error:
        raise NotLent(error.code, error.detail) from None
    await in_thread(_store, actor, user, begun, connection, Loan(lent, server.issuer))
    return connection


def account_of(connection: Connection, user: User) -> Account:
    """Return the person's account there; raises NotFound."""
    account = Account.objects.filter(connection=connection, user=user).first()
    if account is None:
        raise NotFound
    return account


def disconnect(actor: Actor, account: Account) -> None:
    """Forget what a person lent; their next call is refused."""
    with changing(account.organization_id):
        current = held(Account.objects.all(), account.id)
        _record("account_disconnected", actor, current.connection)
        _let_go(current)
        current.delete()


def drop_all(connection: Connection) -> int:
    """Forget every account at a connection that leads elsewhere now, or is gone."""
    gone, _ = Account.objects.filter(connection=connection).delete()
    return int(gone)


def redirect_uri(connection: Connection) -> str:
    """Return where people come back to: what an authorization server has to know of us."""
    return f"{settings.PUBLIC_URL}{CALLBACK}{connection.id}/"


def connect_url(connection: Connection) -> str:
    """Return the page on which a person connects their account."""
    return f"{settings.PUBLIC_URL}{CONNECT}?connection={connection.id}"


def endpoint_for(connection: Connection, user: User | None) -> Endpoint:
    """Return where a connection leads with a person's own account.

    Raises AccountNeeded, SecretUnreadable.
    """
    account = Account.objects.filter(connection=connection, user=user).first()
    if account is None:
        raise AccountNeeded(connection)
    return personal_endpoint(connection, _revealed(connection), account)


def _check_server(server: AuthorizationServer) -> None:
    """Refuse to send a person where no code comes from, or what is no page; raises UpstreamError.

    The address is the other server's word: a browser is to follow it.
    """
    if not server.authorize_url.startswith(WEB) or not server.proves:
        told = "Its authorization server does not let people in by code and proof (PKCE)."
        raise UpstreamProtocolError(told)
    check_endpoint(server.authorize_url, {}, upstreams.egress())


def _asking(
    client: Client, server: AuthorizationServer, connection: Connection, begun: Begun
) -> str:
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect_uri(connection),
        "state": begun.state(),
        "code_challenge": begun.challenge(),
        "code_challenge_method": "S256",
        "resource": client.resource,
        **({"scope": client.scope} if client.scope else {}),
    }
    mark = "&" if urlsplit(server.authorize_url).query else "?"
    return f"{server.authorize_url}{mark}{urlencode(asked)}"


def _client(connection: Connection) -> Client:
    """Return us as the connection's authorization server knows us; a secret may be missing."""
    if not is_personal(connection):
        told = "Everybody uses this connection with the same credential."
        raise Conflict(told, code="account_shared")
    with seeing([connection.organization_id]):
        revealed = _revealed(connection)
    if connection.secret_ref and not revealed:
        raise SecretsUnavailable
    secret = next((each.value.reveal() for each in revealed.values()), "")
    return client_of(connection, secret)


def _revealed(connection: Connection) -> dict[str, Revealed]:
    refs = [connection.secret_ref] if connection.secret_ref else []
    return reveal_many(connection.organization_id, connection.environment_id, refs)


def _reached(user: User, connection_id: UUID) -> Connection:
    with seeing():
        return access.within(access.admitted(user), Connection, connection_id, Role.OPERATOR)


def _store(actor: Actor, user: User, begun: Begun, connection: Connection, loan: Loan) -> None:
    """Keep a loan in the place of an older one, where the connection is what it was."""
    with changing(connection.organization_id):
        current = held(Connection.objects.live(), connection.id)
        begun.check_unchanged(current)
        Account.objects.filter(connection=current, user=user).delete()
        account = Account(
            organization_id=current.organization_id,
            environment_id=current.environment_id,
            connection=current,
            user=user,
        )
        keep(account, loan)
        save(account)
        _record("account_connected", actor, current)
        _let_go(account)


def _let_go(account: Account) -> None:
    upstreams.let_go(lent_by(str(account.connection_id), str(account.user_id)))


def _record(event: EventType, actor: Actor, connection: Connection) -> None:
    record(
        event,
        actor=actor,
        organization=connection.organization_id,
        environment=connection.environment_id,
        action="account.connect" if event == "account_connected" else "account.disconnect",
        target=f"connection:{connection.slug}",
    )
