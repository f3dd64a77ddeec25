"""What there is to ask, told by Django, the gateway and the description, not by the rows."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from agentxsuite.gateway.asgi import Gateway
from agentxsuite.gateway.hosts import Hosts
from agentxsuite.project.openapi.document import describe

CONVERTER = re.compile(r"<(?:(\w+):)?\w+>")
NUMBERS = "int"  # a parameter that names nobody's row
FIELD = re.compile(r".*_(id|ref)")  # what names a row, besides what is described as a UUID

Route = tuple[str, str]


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/"
) -> Iterator[tuple[Route, int]]:
    """Each method and path that Django answers, and how many rows its path names."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        whole = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, whole)
            continue
        kinds = CONVERTER.findall(whole)
        for method in methods(each.callback):
            yield (method, CONVERTER.sub("{}", whole)), len(kinds) - kinds.count(NUMBERS)


def methods(view: Any) -> Iterator[str]:
    """The methods that a view answers; ANY for a plain function, of which nobody can tell."""
    kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
    known = getattr(view, "actions", None)
    if known is None:
        known = [name for name in getattr(kind, "http_method_names", ()) if hasattr(kind, name)]
    for name in known or ("any",):
        if name not in {"head", "options"}:
            yield name.upper()


GATEWAY = Gateway(Hosts(("localhost",)))


def doors() -> set[str]:
    """The patterns of the gateway's own routes."""
    return {route[0].pattern for route in GATEWAY._routes}


def door(path: str) -> str | None:
    """The pattern that a path is answered by, if that is one of the gateway's."""
    found = (route[0] for route in GATEWAY._routes)
    return next((each.pattern for each in found if each.fullmatch(path)), None)


@cache
def operations() -> dict[Route, Any]:
    """What the description tells of each route."""
    paths = describe().schema["paths"]
    return {
        (method.upper(), re.sub(r"{\w+}", "{}", path)): operation
        for path, item in paths.items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


def lists() -> set[Route]:
    """The lists of Django's: what answers with `results`, and whatever is called a list."""
    asked = {route: operations().get(route) for route, _ in routes() if route[0] == "GET"}
    return {route for route, told in asked.items() if told and is_list(told)}


def is_list(operation: Any) -> bool:
    """Whether an operation is called a list, or shows `results`."""
    return operation["operationId"].endswith("_list") or shown(operation)


def shown(operation: Any) -> bool:
    """Whether an answer has `results`."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    component = schema.get("$ref", "").rpartition("/")[2]
    inner = describe().schema["components"]["schemas"].get(component, schema)
    return "results" in inner.get("properties", {})


def id_parameters(route: Route) -> set[str]:
    """The query parameters that take a UUID."""
    told = operations().get(route, {}).get("parameters", [])
    return {
        each["name"]
        for each in told
        if each["in"] == "query" and each.get("schema", {}).get("format") == "uuid"
    }


def id_fields(route: Route) -> set[str]:
    """The fields of the body, however deep, that name somebody's row."""
    content = operations().get(route, {}).get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return set(named_in(schema))


def named_in(schema: Any, name: str = "", known: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of properties that take an id or a ref."""
    if isinstance(schema, list):
        for each in schema:
            yield from named_in(each, name, known)
    elif isinstance(schema, dict) and not schema.get("readOnly"):
        component = schema.get("$ref", "").rpartition("/")[2]
        if component and component not in known:
            inner = describe().schema["components"]["schemas"][component]
            yield from named_in(inner, name, (*known, component))
        if name != "id" and (schema.get("format") == "uuid" or FIELD.fullmatch(name)):
            yield name
        for field, inner in schema.get("properties", {}).items():
            yield from named_in(inner, field, known)
        for word in ("allOf", "oneOf", "anyOf", "items"):
            yield from named_in(schema.get(word, []), name, known)
