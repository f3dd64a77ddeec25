"""The two lists of who may use what: an agent's tools, and a tool's agents."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.reach import DEPENDS, Bench, Verdict, agents_in, tools_in
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.rest.pages import Numbered
from agentxsuite.control.rest.serializers import Choice
from agentxsuite.engines import pdp

EFFECTS = [pdp.ALLOW, pdp.DENY, DEPENDS]


class ReachFilter(serializers.Serializer[Any]):
    """What the lists can be narrowed to."""

    effect = Choice(choices=EFFECTS, required=False)


class NamedAgentSerializer(serializers.Serializer[Any]):
    """An agent, by its names."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


class NamedToolSerializer(serializers.Serializer[Any]):
    """A tool, by its names."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class RuleSerializer(serializers.Serializer[Any]):
    """A rule and the policy it stands in, as they are now."""

    policy_id = serializers.UUIDField()
    policy_name = serializers.CharField()
    policy_version = serializers.IntegerField()
    rule_id = serializers.UUIDField()
    rule_name = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField()
    priority = serializers.IntegerField()
    effect = serializers.ChoiceField(choices=[pdp.ALLOW, pdp.DENY])
    message = serializers.CharField(allow_blank=True)


class FaultSerializer(serializers.Serializer[Any]):
    """What a rule's condition could not be judged by."""

    rule_id = serializers.CharField(allow_blank=True)
    path = serializers.CharField()
    code = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    """Facts that no policy overrides; each must be true for a call to pass."""

    agent_enabled = serializers.BooleanField()
    own_connection = serializers.BooleanField()
    connection_enabled = serializers.BooleanField()
    tool_enabled = serializers.BooleanField()
    approved = serializers.BooleanField()
    offered = serializers.BooleanField()


class VerdictSerializer(serializers.Serializer[Any]):
    """What would become of calls of a tool by an agent.

    `allow` and `deny` hold for every call of the agent at this moment; one rule decides, or none.
    `depends`: some calls may pass; `rules` look at `paths`, its arguments or where it comes from.
    """

    agent = NamedAgentSerializer()
    tool = NamedToolSerializer()
    effect = serializers.ChoiceField(choices=EFFECTS)
    reason = serializers.CharField()
    detail = serializers.CharField()
    depends_on_input = serializers.BooleanField()
    rules = RuleSerializer(many=True)
    paths = serializers.ListField(child=serializers.CharField())
    faults = FaultSerializer(source="errors", many=True)
    facts = StandingSerializer(source="standing")


def tools_of_agent(request: Request, agent: Agent) -> Response:
    """Answer a page of the tools of the agent's environment, each with the decision and why."""
    bench = Bench(agent.environment)
    return _page(request, tools_in(agent.environment), lambda tool: bench.verdict(agent, tool))


def agents_of_tool(request: Request, tool: Tool) -> Response:
    """Answer a page of the agents of the tool's environment, each with the decision and why."""
    bench = Bench(tool.environment)
    return _page(request, agents_in(tool.environment), lambda agent: bench.verdict(agent, tool))


def _page(request: Request, rows: QuerySet[Any], judge: Callable[[Any], Verdict]) -> Response:
    asked = ReachFilter(data=request.query_params)
    asked.is_valid(raise_exception=True)
    wanted = asked.validated_data.get("effect")
    paginator = Numbered()
    if wanted is None:
        found = [judge(row) for row in paginator.paginate_queryset(rows, request) or ()]
    else:
        judged = [verdict for row in rows if (verdict := judge(row)).effect == wanted]
        found = paginator.paginate_queryset(judged, request) or []
    return paginator.get_paginated_response(VerdictSerializer(found, many=True).data)
