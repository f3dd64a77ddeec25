"""What is wrong with an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.openapi.contract import Answer, Contract

DESCRIPTION: Final = Path(__file__).parents[2] / "docs/api/openapi.yaml"
DOCUMENT: Final = yaml.load(DESCRIPTION.read_text(), Loader=yaml.CSafeLoader)
CONTRACT: Final = Contract(DOCUMENT)
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    negative_data_rejection,
]


def faults(case: Case, response: object, caller: str) -> Iterator[str]:
    """Every complaint about one answer; `response` is schemathesis' own."""
    if not caller and needs_login(case) and response.status_code < 400:
        yield f"answered {response.status_code} to nobody"
    try:
        case.validate_response(response, checks=CHECKS[: -1 if left_empty(case) else None])
    except FailureGroup as group:
        yield from (told(failure) for failure in group.exceptions)
    try:
        CONTRACT.check(answer(response))
    except AssertionError as error:
        yield str(error).splitlines()[0][:300]


def left_empty(case: Case) -> bool:
    """Whether a filter is empty, as forms send one that was not filled in: then it is none."""
    return "" in (case.query or {}).values()


def needs_login(case: Case) -> bool:
    """Whether an operation is for people who are known."""
    raw = DOCUMENT["paths"][case.operation.path][case.operation.method]
    return raw.get("security", [{}])[0] != {}


def told(failure: Failure) -> str:
    """A complaint of schemathesis in one line."""
    return " ".join(f"{failure.title}: {failure.message}".split())[:300]


def answer(response: object) -> Answer:
    """An answer as the description's own check takes it."""
    headers = {name.lower(): ", ".join(values) for name, values in response.headers.items()}
    asked = response.request
    path = asked.path_url.partition("?")[0]
    return Answer(asked.method or "", path, response.status_code, headers, response.content)
