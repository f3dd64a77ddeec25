"""The REST view of resources and prompts, which the data plane answers: described by hand."""

from typing import Any

from agentxsuite.project.openapi import problems
from agentxsuite.project.openapi.gateway import TEXT, UUID
from agentxsuite.project.openapi.problems import Schema

BASE = "/api/v1/orgs/{org}/mcp/{env}"
REFUSALS = {400, 401, 403, 404, 429, 502, 503, 504}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}
COUNT: Schema = {"type": "integer", "minimum": 1}
PAGES: Schema = {"type": ["string", "null"], "format": "uri"}


def paths() -> Schema:
    """Return the operations by path and method."""
    return {
        f"{BASE}/resources/": {
            "get": _list("resources", "Resource", "List the resources that an agent may read.")
        },
        f"{BASE}/resources/{{uri}}/": {
            "get": _one(
                "resources",
                "ResourceRead",
                "Read a resource as an agent: decided and recorded as at the MCP address.",
                [_path("uri", "`<connection>+<its URI>`, percent-encoded.")],
            )
        },
        f"{BASE}/prompts/": {
            "get": _list("prompts", "Prompt", "List the prompts that an agent may get.")
        },
        f"{BASE}/prompts/{{name}}/": {
            "get": _one(
                "prompts",
                "PromptGot",
                "Get a prompt as an agent: decided and recorded as at the MCP address.",
                [
                    _path("name", "`<connection>/<its name>`, or its name at the MCP address."),
                    _query("arguments", TEXT, "The prompt's arguments, as one JSON object."),
                ],
            )
        },
    }


def components() -> Schema:
    """Return what the operations refer to."""
    resource = {"uri": {**TEXT, "description": "`<connection>+<its URI>`"}, **_common()}
    prompt = {"name": {**TEXT, "description": "`<connection>/<its name>`"}, **_common()}
    listed = {"definition": {**ANYTHING, "description": "As the server describes it."}}
    used = {"decision_id": UUID, "result": {**ANYTHING, "description": "As MCP has it."}}
    return {
        "schemas": {
            "Resource": _object({**resource, **listed}),
            "ResourceRead": _object({**resource, **used}),
            "Prompt": _object({**prompt, **listed}),
            "PromptGot": _object({**prompt, **used}),
        }
    }


def _common() -> Schema:
    return {
        "connection": _object({"id": UUID, "slug": TEXT}),
        "target": {**TEXT, "description": "What policies call it."},
    }


def _list(tag: str, component: str, description: str) -> Schema:
    results = {"type": "array", "items": {"$ref": f"#/components/schemas/{component}"}}
    page = {"count": {"type": "integer"}, "next": PAGES, "previous": PAGES, "results": results}
    more = [_query("page", COUNT, "From 1."), _query("page_size", COUNT, "50, at most 200.")]
    operation = _operation(f"orgs_mcp_{tag}_list", tag, description, _object(page))
    return {**operation, "parameters": [*_place(), *more]}


def _one(tag: str, component: str, description: str, more: list[Schema]) -> Schema:
    content = {"$ref": f"#/components/schemas/{component}"}
    operation = _operation(f"orgs_mcp_{tag}_retrieve", tag, description, content)
    return {**operation, "parameters": [*_place(), *more]}


def _operation(name: str, tag: str, description: str, content: Schema) -> Schema:
    return {
        "operationId": name,
        "description": description,
        "tags": [tag],
        "security": [{"login_token": []}, {"agent_token": []}],
        "responses": {
            "200": {
                "description": "What was asked for.",
                "content": {"application/json": {"schema": content}},
            },
            **dict(problems.responses(REFUSALS)),
        },
    }


def _place() -> list[Schema]:
    agent = _query("agent", TEXT, "Id or slug; a person names whom to run as.")
    ids = [
        {"name": each, "in": "path", "required": True, "schema": UUID} for each in ("org", "env")
    ]
    return [*ids, agent]


def _path(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": TEXT,
        "description": description,
    }


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _object(properties: dict[str, Any]) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}
