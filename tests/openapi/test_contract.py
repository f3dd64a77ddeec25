"""What a test takes for an answer is held against the description, and what differs is told."""

import json

import pytest

from tests.openapi.contract import Answer, Contract

ROW = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "note": {"type": ["string", "null"]},
    },
    "required": ["id"],
}
PROBLEM = {"type": "object", "properties": {"status": {"type": "integer"}}, "required": ["status"]}
DESCRIPTION = {
    "paths": {
        "/rows/{id}/": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Row"}}
                        }
                    },
                    "401": {"$ref": "#/components/responses/No"},
                }
            },
            "delete": {"responses": {"204": {"description": "Gone."}}},
        },
        "/rows/first/": {"get": {"responses": {"204": {"description": "Nothing."}}}},
        "/odd/": {
            "get": {
                "x-undescribed": True,
                "responses": {"401": {"$ref": "#/components/responses/No"}},
            }
        },
    },
    "components": {
        "schemas": {"Row": ROW, "Problem": PROBLEM},
        "responses": {
            "No": {
                "headers": {"WWW-Authenticate": {"required": True}, "X-Other": {}},
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            }
        },
    },
}
ID = "0199a1d0-0000-7000-8000-000000000000"
KNOWN = {"www-authenticate": "Bearer"}


@pytest.fixture
def contract():
    return Contract(DESCRIPTION)


def answer(status, body=None, path="/rows/7/", method="GET", **headers):
    kind = "application/json" if status < 400 else "application/problem+json"
    text = b"" if body is None else json.dumps(body).encode()
    return Answer(method, path, status, {"content-type": f"{kind}; charset=utf-8", **headers}, text)


@pytest.mark.parametrize(
    "kept",
    [
        answer(200, {"id": ID}),
        answer(200, {"id": ID, "note": None}),
        answer(401, {"status": 401}, **KNOWN),
        answer(204, method="DELETE"),
        answer(204, path="/rows/first/"),
        answer(404, {"status": 404}, path="/nowhere/"),
        answer(301, path="/rows/7"),
        answer(405, {"status": 405}, method="PUT"),
        answer(200, {"anything": 1}, path="/odd/"),
    ],
)
def test_what_is_described_passes(contract, kept):
    """Otherwise: tests fail although the server keeps its word."""
    contract.check(kept)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (answer(201, {"id": ID}), "described are 200, 401"),
        (answer(200, {"id": ID, "secret": "x"}), "secret"),
        (answer(200, {"note": "x"}), "required"),
        (answer(200, {"id": "7"}), "uuid"),
        (answer(200, {"id": ID, "note": 7}), "note"),
        (answer(401, {"status": 401}), "without WWW-Authenticate"),
        (answer(401, {"status": 403}, **KNOWN), "its body says 403"),
        (answer(401, {"status": 401}, **KNOWN | {"content-type": "text/html"}), "text/html"),
        (answer(204, {}, method="DELETE"), "with a body"),
        (answer(200, {}, method="PUT"), "nothing of that is described"),
        (answer(200, {}, path="/nowhere/"), "nothing of that is described"),
        (answer(500, {"status": 500}, path="/odd/"), "described are 401"),
    ],
)
def test_what_is_not_described_fails(contract, broken, said):
    """Otherwise: the description can promise anything, and nobody notices."""
    with pytest.raises(AssertionError, match=said):
        contract.check(broken)
