"""Every row that was asked for is proven or said to be missing; every route is in a row."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from django.urls import URLPattern, URLResolver, get_resolver

from agentxsuite.gateway.asgi import Gateway
from agentxsuite.gateway.hosts import Hosts

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOT_BUILT = "not built: "
ROWS = 75
SOME_ID = "00000000-0000-7000-8000-000000000000"
CONVERTER = re.compile(r"<[^>]+>")
PARAMETER = re.compile(r"\{\w+\}")

Row = str | list[str]


@cache
def seed() -> dict[str, Row]:
    """The rows that were asked for, word for word."""
    return yaml.safe_load((HERE / "seed.yaml").read_text())


@cache
def beyond() -> dict[str, Row]:
    """The routes that nobody asked for."""
    return yaml.safe_load((HERE / "beyond.yaml").read_text())


def asked(rows: dict[str, Row]) -> list[tuple[str, str]]:
    """Each method and path of some rows; parameters have no names."""
    pairs = [key.split(" ", 1) for key in rows]
    return [
        (method, PARAMETER.sub("{}", path)) for words, path in pairs for method in words.split("/")
    ]


def built(rows: dict[str, Row]) -> dict[str, Row]:
    """The rows that name tests."""
    return {key: row for key, row in rows.items() if isinstance(row, list)}


def routes(
    patterns: list[URLPattern | URLResolver], prefix: str = "/"
) -> Iterator[tuple[str, str]]:
    """Each method and path that Django answers."""
    for each in patterns:
        path = prefix + CONVERTER.sub("{}", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, path)
            continue
        actions = getattr(each.callback, "actions", None) or {"get": "get"}
        yield from ((method.upper(), path) for method in actions if method != "head")


def is_gateways(method: str, path: str) -> bool:
    """Whether the data plane answers it."""
    gateway = Gateway(Hosts(("localhost",)))
    address = path.replace("{}", SOME_ID)
    found = gateway._find(address) if gateway.owns(address) else None
    return found is not None and found[0] == method


def functions(page: Path) -> set[str]:
    """The tests that a page defines."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.parse(page.read_text()).body if isinstance(node, kinds)}


def test_every_row_that_was_asked_for_is_here():
    """Otherwise: something that was asked for is forgotten."""
    assert len(seed()) == ROWS
    assert all(re.fullmatch(r"(GET|POST|PUT/PATCH|DELETE) /api/v1/\S+/", key) for key in seed())


def test_every_row_is_proven_or_says_why_not():
    """Otherwise: a row counts as done that nothing proves."""
    reasons = [row for row in (seed() | beyond()).values() if isinstance(row, str)]
    assert [row for row in reasons if not row.startswith(NOT_BUILT) or len(row) < 30] == []
    assert [key for key, row in (seed() | beyond()).items() if not row] == []


def test_every_named_test_is_there():
    """Otherwise: a row is proven by a test that somebody took away."""
    named = {test for row in built(seed() | beyond()).values() for test in row}
    gone = [test for test in sorted(named) if not is_there(*test.split("::"))]
    assert gone == []


def is_there(page: str, name: str) -> bool:
    """Whether a page of tests has this one."""
    return (ROOT / page).is_file() and name in functions(ROOT / page)


def test_every_route_is_in_a_row():
    """Otherwise: a route is open that nobody thinks of, and nothing proves."""
    table = set(routes(get_resolver().url_patterns))
    assert len(table) > 20
    rows = asked(built(seed())) + asked(built(beyond()))
    assert sorted(table - set(rows)) == []
    assert sorted(each for each in set(rows) - table if not is_gateways(*each)) == []


def test_every_route_of_the_data_plane_is_in_a_row():
    """Otherwise: an agent's door is open that nobody thinks of."""
    rows = [each for each in asked(seed()) + asked(beyond()) if is_gateways(*each)]
    patterns = {route[0] for route in Gateway(Hosts(("localhost",)))._routes}
    met = {p for p in patterns for _, path in rows if p.fullmatch(path.replace("{}", SOME_ID))}
    assert met == patterns


def test_what_is_not_built_has_no_route():
    """Otherwise: the list of what is missing never shrinks."""
    table = set(routes(get_resolver().url_patterns))
    missing = {key: row for key, row in seed().items() if isinstance(row, str)}
    assert [each for each in asked(missing) if each in table or is_gateways(*each)] == []


def test_no_row_stands_twice():
    """Otherwise: one of two rows is kept, and the other one believed."""
    rows = asked(seed()) + asked(beyond())
    assert sorted(rows) == sorted(set(rows))
