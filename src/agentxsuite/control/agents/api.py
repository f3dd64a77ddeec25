"""Agents, their tokens and their service accounts in the REST API."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.axcore import Wish, create_axcore
from agentxsuite.control.agents.filters import AgentFilter, ServiceAccountFilter
from agentxsuite.control.agents.models import Agent, IssuedToken, ServiceAccount
from agentxsuite.control.agents.pinging import ping_agent
from agentxsuite.control.agents.reach_pages import (
    ReachFilter,
    VerdictSerializer,
    tools_of_agent,
)
from agentxsuite.control.agents.serializers import (
    AgentSerializer,
    AxcoreSerializer,
    IssueSerializer,
    NewAxcoreSerializer,
    NewTokenSerializer,
    PingSerializer,
    ServiceAccountSerializer,
    TokenSerializer,
)
from agentxsuite.control.agents.services import (
    change_agent,
    change_service_account,
    create_agent,
    create_service_account,
    delete_agent,
    delete_service_account,
    delete_token,
    issue_token,
    revoke_token,
)
from agentxsuite.control.agents.tokens import audience
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.upstreams import current
from agentxsuite.control.rest.elsewhere import wait_for
from agentxsuite.control.rest.pages import Numbered, page
from agentxsuite.control.rest.views import WRITERS, Door, Resource
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Organization, Role
from agentxsuite.control.tenancy.scope import seeing


class Agents(Resource):
    """`/orgs/{org}/agents/`."""

    model = Agent
    serializer_class = AgentSerializer
    filterset_class = AgentFilter
    ordering_fields = ("name", "slug", "mode", "created_at")
    roles = {**WRITERS, "ping": Role.OPERATOR, "axcore": Role.ADMIN}
    outside = frozenset({"ping"})
    shows_once = {"axcore": "agent.id"}

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> Agent:  # noqa: ARG002 - the environment says it
        """Make an agent; its slug is made of its name unless told."""
        return create_agent(actor, facts.pop("environment"), facts.pop("name"), **facts)

    def change(self, actor: Actor, row: Agent, **facts: Any) -> Agent:
        """Alter an agent; its environment and its slug stay."""
        return change_agent(actor, row, **facts)

    def end(self, actor: Actor, row: Agent) -> None:
        """Delete an agent; its tokens are dead from the next call on."""
        delete_agent(actor, row)

    @extend_schema(request=None, responses=PingSerializer)
    def ping(self, request: Request, **_path: Any) -> Response:
        """Tell how an agent stands, and whether the server of its connection answers."""
        with seeing():
            row = access.one(
                self.get_queryset().select_related("connection", "service_account"),
                id=self.kwargs["id"],
            )
        found = wait_for(request, ping_agent, Actor.behind(request), row, current())
        return Response(PingSerializer(found).data)

    @extend_schema(parameters=[ReachFilter], responses=VerdictSerializer(many=True), filters=False)
    def access(self, request: Request, **_path: Any) -> Response:
        """List every tool of the agent's environment, with the decision on its calls and why."""
        rows = self.get_queryset().select_related("environment", "service_account")
        return tools_of_agent(request, access.one(rows, id=self.kwargs["id"]))

    @extend_schema(request=AxcoreSerializer, responses={201: NewAxcoreSerializer})
    def axcore(self, request: Request, **_path: Any) -> Response:
        """Make an agent, its login, a policy that allows `targets`, and a first token at once."""
        asked = AxcoreSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        wish = {**asked.validated_data}
        made = create_axcore(Actor.behind(request), wish.pop("environment"), Wish(**wish))
        shown = {
            "service_account": made.service_account,
            "agent": made.agent,
            "policy": made.policy,
            "token": _shown(made.agent, made.issued, made.token),
        }
        return Response(NewAxcoreSerializer(shown).data, status=status.HTTP_201_CREATED)


class ServiceAccounts(Resource):
    """`/orgs/{org}/service-accounts/`."""

    model = ServiceAccount
    serializer_class = ServiceAccountSerializer
    filterset_class = ServiceAccountFilter
    ordering_fields = ("name", "created_at")

    def make(self, actor: Actor, organization: Organization, **facts: Any) -> ServiceAccount:
        """Make a login for an agent; without an issuer it is one of ours."""
        return create_service_account(actor, organization, facts.pop("name"), **facts)

    def change(self, actor: Actor, row: ServiceAccount, **facts: Any) -> ServiceAccount:
        """Alter a login; who is disabled is locked out from the next call on."""
        return change_service_account(actor, row, **facts)

    def end(self, actor: Actor, row: ServiceAccount) -> None:
        """Delete a login; its agent is locked out from the next call on."""
        delete_service_account(actor, row)


class Tokens(Door):
    """`/orgs/{org}/agents/{agent}/tokens/`."""

    serializer_class = TokenSerializer
    pagination_class = Numbered
    queryset = IssuedToken.objects.none()  # which one it is, the schema is told by
    shows_once = {"create": "id"}

    @extend_schema(responses=TokenSerializer(many=True))
    def list(self, request: Request, org: UUID, agent: UUID) -> Response:
        """List the tokens of an agent, newest first."""
        rows = _agent(request, org, agent, Role.VIEWER).tokens.order_by("-created_at", "id")
        return page(request, rows, TokenSerializer, Numbered)

    @extend_schema(request=IssueSerializer, responses={201: NewTokenSerializer})
    def create(self, request: Request, org: UUID, agent: UUID) -> Response:
        """Issue a token; this answer is the only one that ever shows it."""
        holder = _agent(request, org, agent, Role.ADMIN)
        asked = IssueSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        issued = issue_token(Actor.behind(request), holder, **asked.validated_data)
        shown = NewTokenSerializer(_shown(holder, *issued)).data
        return Response(shown, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, org: UUID, agent: UUID, jti: str) -> Response:
        """Forget a token that is revoked or expired; it stays invalid."""
        tokens = _agent(request, org, agent, Role.ADMIN).tokens.all()
        delete_token(Actor.behind(request), access.one(tokens, jti=jti))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=TokenSerializer)
    def revoke(self, request: Request, org: UUID, agent: UUID, jti: str) -> Response:
        """Make a token invalid from the next call on."""
        tokens = _agent(request, org, agent, Role.ADMIN).tokens.all()
        row = revoke_token(Actor.behind(request), access.one(tokens, jti=jti))
        return Response(TokenSerializer(row).data)


def _shown(agent: Agent, row: IssuedToken, token: str) -> IssuedToken:
    """The row with the token beside it, for the one answer that shows it."""
    row.token, row.mcp_url = token, audience(agent)  # type: ignore[attr-defined]  # shown, not kept
    return row


def _agent(request: Request, org: UUID, agent: UUID, least: Role) -> Agent:
    organization = access.organization(access.caller(request), org, least)
    return access.one(access.live(Agent).filter(organization=organization), id=agent)
