"""What the description promises of every answer: its status, its media type, its body."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from agentxsuite.project.openapi.document import describe
from agentxsuite.project.openapi.operations import UNDESCRIBED
from agentxsuite.project.openapi.problems import PROBLEM_TYPE

PROBLEM = {
    "description": "",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
NOWHERE = {"301", "400", "404"}  # what an address answers that is not in the description
OTHERWISE = {"401", "405"}  # what an address answers to a method that is not there
SEGMENT = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True)
class Answer:
    """One answer and what was asked."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} answered {self.status}"

    @property
    def media_type(self) -> str:
        """What the body is, without parameters."""
        return self.headers.get("content-type", "").split(";")[0]


class Contract:
    """A description, and whether answers keep to it."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        closed = close(description)
        self.components = closed["components"]
        self.routes = sorted(
            ((pattern(path), path, item) for path, item in closed["paths"].items()),
            key=lambda route: route[1].count("{"),
        )
        self.validators: dict[str, Any] = {}

    def check(self, answer: Answer) -> None:
        """Raise AssertionError for an answer that the description does not have."""
        item = self.item(answer.path)
        operation = (item or {}).get(answer.method.lower())
        if operation is None:
            expected = NOWHERE if item is None else OTHERWISE
            assert str(answer.status) in expected, f"{answer}: nothing of that is described"
            responses = {str(answer.status): PROBLEM} if answer.status >= 400 else {}
        elif UNDESCRIBED in operation and answer.status < 400:
            return
        else:
            responses = operation["responses"]
        try:
            self.compare(answer, responses)
        except AssertionError as error:
            error.add_note("docs/api/README.md tells how an operation is described.")
            error.add_note(describe().unclear)
            raise

    def item(self, path: str) -> Mapping[str, Any] | None:
        """The operations of an address, which has as few parameters as can be."""
        return next((item for route, _, item in self.routes if route.fullmatch(path)), None)

    def compare(self, answer: Answer, responses: Mapping[str, Any]) -> None:
        """Hold an answer against the responses that there can be."""
        if not responses:
            return
        response = responses.get(str(answer.status))
        assert response, f"{answer}: described are {', '.join(responses)}; it said {answer.body!r}"
        response = self.found(response)
        for name, header in response.get("headers", {}).items():
            there = not header.get("required") or name.lower() in answer.headers
            assert there, f"{answer}: without {name}"
        content = response.get("content")
        if content is None:
            assert not answer.body, f"{answer}: with a body, which is not described"
            return
        kind = answer.media_type
        assert kind in content, f"{answer}: as {kind}; described is {', '.join(content)}"
        self.validate(answer, content[kind]["schema"])

    def validate(self, answer: Answer, schema: Mapping[str, Any]) -> None:
        """Hold a body against its schema."""
        whole = {**schema, "components": self.components}
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        body = json.loads(answer.body)
        faults = [
            f"{fault.instance_path}: {fault.message}"
            for fault in self.validators[key].iter_errors(body)
        ]
        assert not faults, f"{answer}: {'; '.join(faults[:5])}"
        if answer.status >= 400:
            assert body["status"] == answer.status, f"{answer}: its body says {body['status']}"

    def found(self, response: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference to a response."""
        name = response.get("$ref", "").rpartition("/")[2]
        return self.components["responses"][name] if name else response


@cache
def contract() -> Contract:
    """The contract of this server."""
    return Contract(describe().schema)


def pattern(path: str) -> re.Pattern[str]:
    """What addresses a path of the description stands for."""
    return re.compile(SEGMENT.sub("[^/]+", re.escape(path)))


def close(part: Any) -> Any:
    """The same, but for fields that are not described: those are none."""
    if isinstance(part, list):
        return [close(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {name: close(each) for name, each in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
