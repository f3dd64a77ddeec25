"""The whole description: made once a process, from the table of routes."""

import io
from contextlib import redirect_stderr
from functools import cache
from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from agentxsuite.project.openapi import gateway, problems
from agentxsuite.project.openapi.problems import Schema
from agentxsuite.project.openapi.tidying import tidied


class Unclear(Exception):
    """A view or serializer does not say enough; the text names it."""


def complete(result: Schema, **_: Any) -> Schema:
    """Tidy up, and add what no view tells: the data plane's operations, every refusal's shape."""
    result = tidied(result)
    result["paths"] = dict(sorted({**result["paths"], **gateway.paths()}.items()))
    parts: Schema = result["components"]
    for more in (problems.components(), gateway.components()):
        for kind, named in more.items():
            parts[kind] = dict(sorted({**parts.get(kind, {}), **named}.items()))
    return result


@cache
def describe() -> Schema:
    """Describe the REST API; raises Unclear with every view that does not say enough."""
    said = io.StringIO()
    with redirect_stderr(said):
        generator: Any = SchemaGenerator
        described: Schema = generator().get_schema(request=None, public=True)
        GENERATOR_STATS.emit_summary()
    if GENERATOR_STATS:
        raise Unclear(said.getvalue())
    return described


@cache
def rendered(kind: str) -> bytes:
    """Return the description as `yaml` or `json`."""
    renderers: Schema = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}
    text: bytes = renderers[kind]().render(describe())
    return text
