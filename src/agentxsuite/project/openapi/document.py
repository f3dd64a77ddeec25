"""The whole description: made once a process, from the table of routes."""

from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from agentxsuite.project.openapi import browsing, gateway, problems
from agentxsuite.project.openapi.problems import Schema
from agentxsuite.project.openapi.tidying import tidied

ONE_AT_A_TIME = Lock()  # the generator keeps what it finds in one place


class Description(NamedTuple):
    """The description, and in words which views and serializers do not say enough."""

    schema: Schema
    unclear: str


def complete(result: Schema, **_: Any) -> Schema:
    """Tidy up, and add what no view tells: the data plane's operations, every refusal's shape."""
    result = tidied(result)
    by_hand = {**gateway.paths(), **browsing.paths()}
    result["paths"] = dict(sorted({**result["paths"], **by_hand}.items()))
    parts: Schema = result["components"]
    for more in (problems.components(), gateway.components(), browsing.components()):
        for kind, named in more.items():
            parts[kind] = dict(sorted({**parts.get(kind, {}), **named}.items()))
    return result


@cache
def describe() -> Description:
    """Describe the REST API."""
    with ONE_AT_A_TIME, GENERATOR_STATS.silence():
        generator: Any = SchemaGenerator
        described: Schema = generator().get_schema(request=None, public=True)
        said = (*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache)  # noqa: SLF001 - else it prints them
    return Description(described, "\n".join(said))


@cache
def rendered(kind: str) -> bytes:
    """Return the description as `yaml` or `json`."""
    renderers: Schema = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}
    text: bytes = renderers[kind]().render(describe().schema)
    return text
