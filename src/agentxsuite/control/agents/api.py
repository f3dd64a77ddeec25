"""Agents' tokens in the REST API."""

from typing import Any
from uuid import UUID

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.agents.tokens import (
    DEFAULT_SCOPES,
    DEFAULT_TTL,
    MAX_SCOPES,
    MAX_TTL,
    audience,
    issue_token,
    revoke_token,
)
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Role
from agentxsuite.control.tenancy.pages import Numbered, page
from agentxsuite.control.tenancy.views import Door


class TokenSerializer(serializers.ModelSerializer[IssuedToken]):
    """What is known of a token; the token itself is not kept."""

    class Meta:
        model = IssuedToken
        fields = [
            "id",
            "jti",
            "name",
            "agent",
            "environment",
            "scopes",
            "metadata",
            "expires_at",
            "revoked_at",
            "revoked_by",
            "created_at",
        ]


class IssueSerializer(serializers.Serializer[Any]):
    """What a token is asked for with."""

    name = serializers.CharField(max_length=200, default="", allow_blank=True)
    ttl_seconds = serializers.IntegerField(min_value=1, max_value=MAX_TTL, default=DEFAULT_TTL)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=64),
        min_length=1,
        max_length=MAX_SCOPES,
        default=list(DEFAULT_SCOPES),
    )


class Tokens(Door):
    """`/orgs/{org}/agents/{agent}/tokens/`."""

    def list(self, request: Request, org: UUID, agent: UUID) -> Response:
        """List the tokens of an agent, newest first."""
        rows = _agent(request, org, agent, Role.VIEWER).tokens.order_by("-created_at", "id")
        return page(request, rows, TokenSerializer, Numbered)

    def create(self, request: Request, org: UUID, agent: UUID) -> Response:
        """Issue a token; this answer is the only one that ever shows it."""
        holder = _agent(request, org, agent, Role.ADMIN)
        asked = IssueSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row, token = issue_token(Actor.behind(request), holder, **asked.validated_data)
        shown = {**TokenSerializer(row).data, "token": token, "mcp_url": audience(holder)}
        return Response(shown, status=status.HTTP_201_CREATED)

    def revoke(self, request: Request, org: UUID, agent: UUID, jti: str) -> Response:
        """Make a token invalid from the next call on."""
        tokens = _agent(request, org, agent, Role.ADMIN).tokens.all()
        row = revoke_token(Actor.behind(request), access.one(tokens, jti=jti))
        return Response(TokenSerializer(row).data)


def _agent(request: Request, org: UUID, agent: UUID, least: Role) -> Agent:
    organization = access.organization(access.caller(request), org, least)
    return access.one(access.live(Agent).filter(organization=organization), id=agent)
