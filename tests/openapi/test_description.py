"""The description is whole, is what the program does, and is what is committed."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from django.test import Client
from drf_spectacular.validation import validate_schema

from agentxsuite.control import urls
from agentxsuite.project.openapi import browsing
from agentxsuite.project.openapi.document import describe, rendered
from agentxsuite.project.openapi.operations import UNDESCRIBED
from tests.openapi.renewal import stale

CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
# Of a resource namespace it is a name; the latter is an address or a word (RFC 6749, section 2.2).
NO_ID = {"scope_id", "client_id"}


def operations() -> Iterator[tuple[str, str, dict]]:
    for path, item in describe().schema["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def properties(part: object, name: str = "") -> Iterator[tuple[str, dict]]:
    """Every property of every schema, wherever it stands."""
    if isinstance(part, list):
        for each in part:
            yield from properties(each, name)
    elif isinstance(part, dict):
        for inner, schema in part.get("properties", {}).items() if "type" in part else ():
            yield f"{name}.{inner}", schema
        for inner, each in part.items():
            yield from properties(each, inner)


def test_the_committed_pages_are_those_of_the_program():
    """Otherwise: people write clients for an API that is another one by now.

    `make openapi` renews them.
    """
    assert stale() == []


def test_the_description_is_openapi():
    """Otherwise: no generator of clients can read it."""
    validate_schema(describe().schema)


def test_every_operation_says_what_it_answers():
    """Otherwise: somebody has to try out what comes back.

    docs/api/README.md tells how to say it.
    """
    assert describe().unclear == ""
    assert [f"{m} {path}" for m, path, said in operations() if UNDESCRIBED in said] == []


def test_every_route_is_described():
    """Otherwise: an operation is there that nobody can find."""
    described = set(describe().schema["paths"])
    routes = {"/api/v1/" + CONVERTER.sub(r"{\1}", str(each.pattern)) for each in urls.urlpatterns}
    assert routes <= described
    others = {"/api/v1/orgs/{org}/runs/execute/", "/healthz", "/readyz", *browsing.paths()}
    assert described - routes == others


def test_operations_have_names_of_their_own():
    """Otherwise: generated clients lose methods."""
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"[a-z_0-9]+", name) for name in names)
    assert all(len(operation["tags"]) == 1 for _, _, operation in operations())


def test_ids_are_uuids_and_choices_are_in_lower_case():
    """Otherwise: generated clients take any text for an id, or offer what is not stored."""
    found = dict(properties(describe().schema["components"]["schemas"]))
    ids = {n: s for n, s in found.items() if n.endswith((".id", "_id")) and "type" in s}
    assert len(ids) > 10
    loose = {n for n, s in ids.items() if s.get("format") != "uuid"}
    assert {name for name in loose if name.rpartition(".")[2] not in NO_ID} == set()
    choices = [word for schema in found.values() for word in schema.get("enum", ())]
    assert [word for word in choices if word is not None and word != word.lower()] == []


@pytest.mark.parametrize(
    ("asked", "kind", "read"),
    [
        ("/api/schema/", "application/vnd.oai.openapi", yaml.safe_load),
        ("/api/schema/?format=yaml", "application/vnd.oai.openapi", yaml.safe_load),
        ("/api/schema/?format=json", "application/vnd.oai.openapi+json", json.loads),
    ],
)
def test_the_server_tells_its_description(asked, kind, read):
    """Otherwise: a program that asks the server itself learns nothing."""
    answer = Client().get(asked)
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert read(answer.content) == json.loads(rendered("json"))


def test_programs_ask_in_their_own_way():
    """Otherwise: a client that wants JSON gets YAML."""
    answer = Client().get("/api/schema/", headers={"accept": "application/json"})
    assert json.loads(answer.content)["openapi"].startswith("3.1")
    refused = Client().get("/api/schema/", headers={"accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")


def test_refusals_are_problems_here_too():
    """Otherwise: a program cannot read why it is refused."""
    for page in ("/api/schema/", "/api/docs/"):
        answer = Client().post(page)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer["Content-Type"] == "application/problem+json"


def test_the_page_for_people_asks_nobody_else():
    """Otherwise: the docs stay empty where there is no internet, or load what others put there."""
    answer = Client().get("/api/docs/")
    page = answer.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 5
    assert [address for address in addresses if not address.startswith("/")] == []
    assert re.search(r"<script(?! src=)", page) is None
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    script = Client().get("/api/docs/?script=").content.decode()
    assert "/api/schema/" in script
    assert "https://" not in script
    assert '"validatorUrl": null' in script


@pytest.mark.django_db
def test_a_question_about_the_methods_is_not_a_defect():
    """Otherwise: OPTIONS at an address without a form becomes a 500."""
    assert Client().options("/api/v1/auth/login/").status_code == 405
