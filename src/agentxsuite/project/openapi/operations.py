"""How one operation is described, beyond what its view and serializers say by themselves."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from agentxsuite.control.rest.pages import Numbered
from agentxsuite.control.rest.repeatable import HEADER, Repeatable
from agentxsuite.control.rest.serializers import Strict
from agentxsuite.project.openapi import problems
from agentxsuite.project.openapi.problems import Schema

BODIES = {"POST", "PUT", "PATCH"}
CHANGES = BODIES | {"DELETE"}
VERBS = {"GET": "retrieve", "PUT": "update", "PATCH": "partial_update", "DELETE": "destroy"}
TAGS = {"orgs": "organizations"}
OURS = "agentxsuite.control."
UNDESCRIBED = "x-undescribed"  # the view does not say what it answers
ANYTHING = {"POST": {"201": OpenApiTypes.OBJECT}, "DELETE": {"204": None}}
DEFAULT = {"200": OpenApiTypes.OBJECT}
KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="The same key and body within 24 hours are one request: it is not done again, and"
    " its answer is repeated; one that shows a credential is not (409 `already_created`).",
)


class LoginToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # has no types
    """What a person shows."""

    target_class = "agentxsuite.control.tenancy.authentication.LoginTokenAuthentication"
    name = "login_token"

    def get_security_definition(self, _operation: AutoSchema) -> Schema:
        """Describe the header."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A person's token, from `/api/v1/auth/login/`; `Token` works, too.",
        }


class Operation(AutoSchema):
    """An operation with a steady name, every refusal it can answer, and what it needs."""

    view: Any
    guessed = False  # whether the view does not say what it answers

    def get_operation(self, *place: Any) -> Schema | None:
        """Describe the operation; None for one that is left out."""
        stand_in(self.view)
        operation: Schema | None = super().get_operation(*place)
        if operation is not None:
            self._refuse(operation)
            self._repeat(operation)
        return operation

    def get_operation_id(self) -> str:
        """Return the path's words and then the verb, unless the last word is one."""
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        verb = VERBS.get(self.method) or self.view.action
        if self.view.action == "list" or (self.method == "GET" and self._is_list_view()):
            verb = "list"
        elif self.method == "POST" and set(self.view.action_map) == {"post"}:
            verb = ""  # nothing but done here: the path says what
        return "_".join([*words, verb] if verb else words)

    def get_tags(self) -> list[str]:
        """Return the noun: the first word of the path, or the one behind the organization."""
        first, *rest = self._tokenize_path()
        noun = rest[0] if first == "orgs" and rest else first
        return [TAGS.get(noun, noun)]

    def get_request_serializer(self) -> Any:
        """Return what the body is read with; anything where the view does not say."""
        return super().get_request_serializer() or OpenApiTypes.OBJECT

    def get_response_serializers(self) -> Any:
        """Return what answers are written with; anything where the view does not say."""
        known = super().get_response_serializers()
        self.guessed = known is None
        return ANYTHING.get(self.method, DEFAULT) if known is None else known

    def get_override_parameters(self) -> list[Any]:
        """Add the key under which a POST may be sent twice."""
        known: list[Any] = super().get_override_parameters()
        keyed = isinstance(self.view, Repeatable) and self.view.action not in self.view.unkeyed
        return [*known, KEY] if self.method == "POST" and keyed else known

    def get_extensions(self) -> Schema:
        """Mark an operation that says nothing of its answers, so that a test can name it."""
        return super().get_extensions() | ({UNDESCRIBED: True} if self.guessed else {})

    def get_serializer_name(self, serializer: Any, _direction: str) -> str:
        """Return the serializer's name, led by its app's where several apps use it."""
        name = type(serializer).__name__
        apps = {app_of(each) for each in every_kind_of(serializers.Serializer, name)}
        return f"{app_of(type(serializer)).title()}{name}" if len(apps) > 1 else name

    def _get_paginator(self) -> Any:
        """Return how a list is paged, which it always is."""
        return (self.view.pagination_class or Numbered)()

    def _get_serializer(self) -> Any:
        if self.view.serializer_class is None:
            return None
        return super()._get_serializer()  # type: ignore[no-untyped-call]  # has no types

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        """Say that a row shows all of its fields, and that unknown ones are refused."""
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # as above
        if direction == "response":
            schema["required"] = sorted(filter(shown(serializer), schema.get("properties", ())))
        elif isinstance(serializer, Strict):
            schema["additionalProperties"] = False
        return schema

    def _refuse(self, operation: Schema) -> None:
        """Add the refusals that come from where and what the operation is."""
        answers = operation["responses"]
        declared = {int(status) for status in answers if int(status) in problems.STATUSES}
        bare = {status for status in declared if "content" not in answers[str(status)]}
        answers |= dict(problems.responses((self._refusals(operation) - declared) | bare))
        operation["responses"] = dict(sorted(answers.items()))

    def _repeat(self, operation: Schema) -> None:
        """Say which answers tell again what was told before."""
        if HEADER in {each["name"] for each in operation.get("parameters", ())}:
            for status, answer in operation["responses"].items():
                if int(status) not in problems.STATUSES:
                    answer["headers"] = problems.REPLAYED

    def _refusals(self, operation: Schema) -> set[int]:
        """The statuses from 400 on; a view names only what cannot be told from outside."""
        headers = {each["name"] for each in operation.get("parameters", ())}
        known = {} not in operation.get("security", [{}])
        causes = (
            (True, {400, 406, 503}),
            (known, {401}),
            (known and "{" in self.path, {403, 404}),
            ("page" in headers or "cursor" in headers, {404}),
            (self.method in CHANGES, {409}),
            ("requestBody" in operation, {413, 415}),
            ("If-Match" in headers, {412}),
            (HEADER in headers, {422}),
            (not known and self.method in BODIES, {401, 429}),
        )
        return {status for cause, statuses in causes if cause for status in statuses}


def stand_in(view: Any) -> None:
    """Give a view of a kind of row what otherwise only a request can tell."""
    if model := getattr(view, "model", None):
        view.queryset = model._default_manager.none()  # noqa: SLF001 - as Django documents it
        view.__dict__["organization"] = None


def shown(serializer: Any) -> Any:
    """Whether a field is in every answer: of a row all are, else unless it says otherwise."""
    fields = serializer.fields

    def always(name: str) -> bool:
        field = fields[name]
        optional = not (field.required or field.read_only or has_default(field))
        return isinstance(serializer, serializers.ModelSerializer) or not optional

    return always


def has_default(field: Any) -> bool:
    """Whether a field has a value of its own."""
    return field.default is not serializers.empty


def every_kind_of(base: type, name: str) -> Iterator[type]:
    """Every class of the control plane that has the name and builds upon `base`."""
    kinds: list[type] = base.__subclasses__()
    for each in kinds:
        if each.__name__ == name and each.__module__.startswith(OURS):
            yield each
        yield from every_kind_of(each, name)


def app_of(kind: type) -> str:
    """Return the app whose class it is."""
    return kind.__module__.removeprefix(OURS).split(".")[0]
