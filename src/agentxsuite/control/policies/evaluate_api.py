"""`policies/evaluate/` in the REST API: within one organization, or wherever the agent is."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.evaluation import Question, evaluate
from agentxsuite.control.policies.then import MEMBERSHIP
from agentxsuite.control.problems import Invalid
from agentxsuite.control.rest.serializers import Choice, Strict
from agentxsuite.control.rest.views import Door
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import (
    Environment,
    Organization,
    OrganizationMembership,
    User,
)
from agentxsuite.engines import pdp

Named = dict[str, Any]


class ContextSerializer(Strict):
    """How the call would come in; conditions find nothing where nothing is said."""

    door = Choice(choices=["rest", "mcp"], required=False)
    ip = serializers.CharField(max_length=100, required=False)
    auth_method = serializers.CharField(max_length=50, required=False)
    client = serializers.CharField(max_length=200, required=False)


class QuestionSerializer(Strict):
    """Who would do what. `agent` is an id or slug, `user` an id or e-mail address, or both."""

    agent = serializers.CharField(max_length=100, required=False)
    user = serializers.CharField(max_length=254, required=False)
    environment = serializers.CharField(max_length=100, required=False)
    action = serializers.CharField(max_length=200)
    target = serializers.CharField(max_length=4096, trim_whitespace=False)
    input = serializers.DictField(default=dict)
    at = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `context` is a word of the framework's own."""
        return {**super().get_fields(), "context": ContextSerializer(default=dict)}

    def validate(self, attrs: Named) -> Named:
        """Return the checked values; raises ValidationError when nobody is named."""
        if "agent" not in attrs and "user" not in attrs:
            raise serializers.ValidationError({"agent": ["Name an agent, a user, or both."]})
        return attrs


class RefusalSerializer(serializers.Serializer[Any]):
    """What the caller would be told."""

    code = serializers.CharField()
    detail = serializers.CharField()
    paths = serializers.ListField(child=serializers.CharField())


class FactSerializer(serializers.Serializer[Any]):
    """A fact outside policy that closes the door."""

    code = serializers.CharField()
    detail = serializers.CharField()


class EvaluationSerializer(serializers.Serializer[Any]):
    """The decision with everything it rests on (docs/policy.md, "Explanations").

    `allowed` counts the facts outside policy too, which are today's: `as_of` says so.
    """

    effect = serializers.ChoiceField(choices=[pdp.ALLOW, pdp.DENY])
    reason = serializers.CharField()
    determining = serializers.DictField(allow_null=True)
    message = serializers.CharField(allow_blank=True)
    paths = serializers.ListField(child=serializers.CharField())
    terms = serializers.DictField()
    matching = serializers.ListField(child=serializers.DictField())
    matching_count = serializers.IntegerField()
    near_misses = serializers.ListField(child=serializers.DictField())
    versions = serializers.DictField(child=serializers.IntegerField())
    snapshot_hash = serializers.CharField()
    evaluated_at = serializers.CharField()
    allowed = serializers.BooleanField()
    refusal = RefusalSerializer(allow_null=True)
    facts = FactSerializer(many=True)
    listed = serializers.BooleanField()
    asked = serializers.DictField()
    as_of = serializers.DictField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `errors` is a word of the framework's own."""
        faults = serializers.ListField(child=serializers.DictField())
        return {**super().get_fields(), "errors": faults}


class Evaluate(Door):
    """`/orgs/{org}/policies/evaluate/` and `/policies/evaluate/`."""

    unkeyed = frozenset({"within", "anywhere"})

    @extend_schema(request=QuestionSerializer, responses=EvaluationSerializer)
    def within(self, request: Request, org: UUID) -> Response:
        """Tell what would become of a call, and everything that this rests on."""
        organization = access.organization(access.caller(request), org)
        return answer(organization, asked(request))

    @extend_schema(request=QuestionSerializer, responses={200: EvaluationSerializer, 403: None})
    def anywhere(self, request: Request) -> Response:
        """Tell the same; the organization is that of the agent named, or else of the user."""
        caller, named = access.caller(request), asked(request)
        if "agent" in named:
            agents = alike(access.visible(caller, Agent), named["agent"])
            field, homes = "/agent", agents.values_list("organization", flat=True)
        else:
            field, homes = "/user", homes_of(caller, named["user"])
        found = set(homes)
        if not found:
            raise Invalid.at(field, NONE[field])
        if len(found) > 1:
            raise Invalid.at(field, "Several organizations have it: ask within one of them.")
        return answer(access.organization(caller, found.pop()), named)


NONE = {"/agent": "There is no such agent here.", "/user": "There is no such user here."}


def asked(request: Request) -> Named:
    """Return what the body asks; raises ValidationError."""
    question = QuestionSerializer(data=request.data)
    question.is_valid(raise_exception=True)
    return dict(question.validated_data)


def answer(organization: Organization, named: Named) -> Response:
    """Answer a question within an organization; raises Invalid."""
    agent = agent_in(organization, named) if "agent" in named else None
    user = user_in(organization, named["user"]) if "user" in named else None
    question = Question(
        environment=agent.environment if agent else environment_in(organization, named),
        agent=agent,
        user=user,
        action=named["action"],
        target=named["target"],
        given=named["input"],
        how=pdp.Circumstances(**named["context"]),
        at=named.get("at"),
    )
    return Response(evaluate(question))


def agent_in(organization: Organization, named: Named) -> Agent:
    """Return the agent that is named; raises Invalid, also where several are meant."""
    rows = access.live(Agent).filter(organization=organization)
    rows = alike(rows, named["agent"]).select_related("environment", "service_account")
    if "environment" in named:
        rows = rows.filter(environment=environment_in(organization, named))
    found = list(rows[:2])
    if not found:
        raise Invalid.at("/agent", NONE["/agent"])
    if len(found) > 1:
        raise several()
    return found[0]


def environment_in(organization: Organization, named: Named) -> Environment:
    """Return the environment that is named, or the only one; raises Invalid."""
    rows = access.live(Environment).filter(organization=organization)
    if "environment" in named:
        name = named["environment"]
        rows = rows.filter(Q(name=name) | Q(id=as_uuid(name)))
    found = list(rows[:2])
    if not found:
        raise Invalid.at("/environment", "There is no such environment.")
    if len(found) > 1:
        raise several()
    return found[0]


def user_in(organization: Organization, reference: str) -> User:
    """Return a person who is, or was, a member of the organization; raises Invalid."""
    user = person(reference)
    if user is not None:
        members = OrganizationMembership.objects.in_organization(organization).filter(user=user)
        events = AuditEvent.objects.in_organization(organization).filter(
            target=f"user:{user.id}", event_type__in=MEMBERSHIP
        )
        if members.exists() or events.exists():
            return user
    raise Invalid.at("/user", NONE["/user"])


def homes_of(caller: User, reference: str) -> QuerySet[Any, UUID]:
    """Return the organizations that a person and the caller share."""
    shared = access.memberships(caller).values("organization")
    rows = OrganizationMembership.objects.filter(organization__in=shared, user=person(reference))
    return rows.values_list("organization", flat=True)


def person(reference: str) -> User | None:
    """Return whoever has this id or e-mail address."""
    return User.objects.filter(Q(id=as_uuid(reference)) | Q(email=reference.lower())).first()


def alike(agents: QuerySet[Agent], reference: str) -> QuerySet[Agent]:
    """Return the agents of this id or slug."""
    return agents.filter(Q(id=as_uuid(reference)) | Q(slug__iexact=reference))


def several() -> Invalid:
    """Return the refusal to guess."""
    message = "Several environments have it: name one."
    fault: Any = {"path": "/environment", "message": message}
    return Invalid(message, [fault], code="environment_missing")


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None
