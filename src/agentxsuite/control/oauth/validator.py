"""Where the toolkit asks us: who a client is, what a code or a refresh token is worth.

Everything here runs within one transaction of one organization, which the view opens.
"""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from agentxsuite import masking
from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.agents.tokens import issue_token, revoke_token, within_account
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.oauth import grants
from agentxsuite.control.oauth.forgetting import forget
from agentxsuite.control.oauth.models import (
    AccessToken,
    Client,
    Code,
    Grant,
    Machine,
    RefreshToken,
    digest,
)
from agentxsuite.control.oauth.places import Place, marked, place_of
from agentxsuite.control.problems import Problem
from agentxsuite.control.tenancy.models import User

CODE_LIVES: Final = timedelta(seconds=60)
NOTED: Final = timedelta(hours=1)


class Validator(OAuth2Validator):  # type: ignore[misc]  # the toolkit has no types
    """The toolkit's validator, over our grants, machines and signed tokens."""

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """Whether it is the machine's secret; who has none has no right one either."""
        given = digest(provided_secret)
        fits = bool(stored_secret) and bool(constant_time_compare(given, stored_secret))
        if fits:
            masking.learn(provided_secret)
        return fits

    def _load_application(self, client_id: str | None, request: Any) -> Client | None:
        """Return a client by its id; what no id can be is not looked for."""
        if not client_id or not client_id.isprintable():
            return None
        found: Client | None = super()._load_application(client_id, request)
        return found

    # An authorization code

    def _create_authorization_code(self, request: Any, code: dict[str, str], *_: Any) -> Code:
        """Keep a code, and the grant that it stands for."""
        agent: Agent = request.agent
        actor = actor_of(request, request.user)
        grant = grants.give(actor, request.client, agent, request.scopes)
        code["code"] = marked(agent.organization_id, code["code"])
        touch(request.client)
        row: Code = Code.objects.create(
            organization_id=agent.organization_id,
            grant=grant,
            application=request.client,
            code=code["code"],
            expires=timezone.now() + CODE_LIVES,
            redirect_uri=request.redirect_uri,
            scope=" ".join(grant.scopes),
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            resource=[request.resource],
        )
        return row

    def validate_code(
        self, _client_id: str, code: str, client: Client, request: Any, *_: Any
    ) -> bool:
        """Whether a code is good; one that comes a second time ends what the first one opened."""
        rows = Code.objects.select_for_update(of=("self",)).select_related("grant")
        row = rows.filter(code=code, application=client).first()
        if row is None:
            return False
        if row.used_at is not None:
            grants.end(actor_of(request), row.grant, "code_reused")
            return False
        request.scopes = row.scope.split()
        return not row.is_expired() and stands(request, row.grant)

    def invalidate_authorization_code(
        self, _client_id: str, code: str, request: Any, *_: Any
    ) -> None:
        """Let a code be used; raises InvalidGrantError when it was before."""
        unused = Code.objects.filter(code=code, application=request.client, used_at=None)
        if not unused.update(used_at=timezone.now()):
            raise errors.InvalidGrantError(request=request)

    # A refresh token

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Any, *_: Any
    ) -> bool:
        """Whether a refresh token is good for this client."""
        mine = {"token_checksum": digest(refresh_token), "application": client}
        found = RefreshToken.objects.filter(**mine).select_related("grant").first()
        if found is None or not stands(request, found.grant):
            return False
        masking.learn(refresh_token)
        found.refresh_from_db(fields=["revoked"])  # now that nobody else is using it
        if found.revoked is not None:
            grants.end(actor_of(request), found.grant, "token_reused")
            return False
        return bool(super().validate_refresh_token(refresh_token, client, request))

    # Tokens

    def _save_bearer_token(self, token: dict[str, Any], request: Any, *_: Any, **__: Any) -> None:
        """Sign an agent's token in the place of the toolkit's random one, and keep its traces."""
        if request.grant_type == "client_credentials":
            self._sign_for_machine(token, request)
        else:
            self._sign_for_person(token, request)
        super()._save_bearer_token(token, request)
        masking.learn(token["access_token"])
        masking.learn(token.get("refresh_token", ""))
        touch(request.client)

    def _sign_for_person(self, token: dict[str, Any], request: Any) -> None:
        grant: Grant = request.granted
        scopes = within_account(grant.agent, token["scope"].split())
        sign(token, request, grant.agent, scopes, grant.user)
        token["refresh_token"] = marked(grant.organization_id, token["refresh_token"])
        Grant.objects.filter(id=grant.id).update(used_at=timezone.now())
        forget(grant.organization_id)

    def _sign_for_machine(self, token: dict[str, Any], request: Any) -> None:
        rows = Machine.objects.select_related("agent")
        machine = rows.filter(client=request.client).first()
        if machine is None:
            raise errors.InvalidClientError(request=request)
        place = Place(machine.organization_id, machine.environment_id)
        asked = getattr(request, "resource", None)
        if asked and place_of(asked) != place:
            raise wrong_target(request)
        request.granted, request.machine = None, machine
        sign(token, request, machine.agent, token["scope"].split(), None)
        forget(machine.organization_id)

    def _create_access_token(
        self, _expires: Any, request: Any, token: dict[str, Any], source_refresh_token: Any = None
    ) -> AccessToken:
        owner = request.granted or request.machine
        row = AccessToken(
            organization_id=owner.organization_id,
            grant=request.granted,
            jti=request.issued.jti,
            application=request.client,
            source_refresh_token=source_refresh_token,
            scope=token["scope"],
            expires=request.issued.expires_at,
            resource=request.resource,
        )
        self._set_token_value(row, token["access_token"])
        row.save()
        return row

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: Any, _previous: Any
    ) -> RefreshToken:
        row = RefreshToken(
            organization_id=request.granted.organization_id,
            grant=request.granted,
            application=request.client,
            access_token=access_token,
            token_family=request.granted.id,
            resource=request.resource,
        )
        self._set_token_value(row, refresh_token_code)
        row.save()
        return row

    def revoke_token(self, token: str, _token_type_hint: str, request: Any, *_: Any) -> None:
        """End what a token of this client came from (RFC 7009); others are not told apart."""
        mine = {"token_checksum": digest(token), "application": request.client}
        for kind in (RefreshToken, AccessToken):
            for row in kind.objects.filter(**mine).select_related("grant"):
                if row.grant is not None:
                    grants.end(actor_of(request), row.grant, "revoked_by_client")
                else:
                    issued = IssuedToken.objects.filter(jti=row.jti).first()
                    revoke_token(actor_of(request), issued) if issued else None


def stands(request: Any, grant: Grant) -> bool:
    """Whether a grant may become a token now; if so, the request is that person's."""
    held = grants.held(grant.organization_id, grant.id)
    if held is None or not grants.still_stands(held):
        return False
    request.granted, request.user = held, held.user
    return True


def sign(
    token: dict[str, Any], request: Any, agent: Agent, scopes: list[str], user: User | None
) -> None:
    """Put our signed token in the place of the random one; raises OAuth2Error."""
    try:
        request.issued, token["access_token"] = issue_token(
            actor_of(request, user), agent, scopes, token["expires_in"], request.client.name, user
        )
    except Problem as problem:
        raise errors.InvalidGrantError(description=problem.detail, request=request) from None
    token["scope"] = " ".join(request.issued.scopes)


def wrong_target(request: Any = None, state: str | None = None) -> errors.OAuth2Error:
    """Return the refusal of a resource that tokens are not made for (RFC 8707, section 2)."""
    told = "resource must be one MCP address of an environment of this server."
    return errors.CustomOAuth2Error("invalid_target", told, state=state, request=request)


def touch(client: Client) -> None:
    """Note that a client is in use; many people share one, so not at every token."""
    now = timezone.now()
    stale = Q(used_at=None) | Q(used_at__lt=now - NOTED)
    Client.objects.filter(stale, id=client.id).update(used_at=now)


def actor_of(request: Any, user: User | None = None) -> Actor:
    """Return who asks: the person who granted it, or the client."""
    address = request.headers.get("REMOTE_ADDR", "")
    browser = request.headers.get("HTTP_USER_AGENT", "")[:200]
    if user is not None:
        return Actor.person(user, address, browser)
    return Actor(f"client:{request.client.client_id}"[:255], None, address, browser)
