"""The operations that the data plane answers before Django: described here by hand."""

from typing import Any

from agentxsuite.project.openapi import problems
from agentxsuite.project.openapi.problems import Schema

EXECUTE = "/api/v1/orgs/{org}/runs/execute/"
REFUSALS = {400, 401, 403, 404, 409, 413, 422, 429, 502, 503, 504}
UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}


def paths() -> Schema:
    """Return the operations by path and method."""
    return {
        EXECUTE: {"post": _execute()},
        "/healthz": {"get": _probe("healthz", "Whether the process answers.", ready=False)},
        "/readyz": {"get": _probe("readyz", "Whether calls can be taken now.", ready=True)},
    }


def components() -> Schema:
    """Return what the operations refer to."""
    agent_token = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An agent's token, from `.../agents/{agent}/tokens/`.",
    }
    schemas = {
        "ExecuteRequest": _request(),
        "Execution": _execution(),
        "Health": _object({"status": {"type": "string", "const": "ok"}}),
    }
    return {"securitySchemes": {"agent_token": agent_token}, "schemas": schemas}


def _execute() -> Schema:
    return {
        "operationId": "orgs_runs_execute",
        "description": "Run a tool as an agent: identity, policy, limits and the tool's schema are"
        " checked in this order, and nothing runs that is not on record. A tool that ran and"
        " failed is a 201 as well, with `isError`.",
        "parameters": [
            {"name": "org", "in": "path", "required": True, "schema": UUID},
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same key and body within 24 hours run once: the outcome is"
                " told again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            },
        ],
        "tags": ["runs"],
        "requestBody": {"content": _json("ExecuteRequest"), "required": True},
        "security": [{"login_token": []}, {"agent_token": []}],
        "responses": {
            "201": {
                "description": "The run, at its end.",
                "headers": problems.REPLAYED,
                "content": _json("Execution"),
            },
            **dict(problems.responses(REFUSALS)),
        },
    }


def _request() -> Schema:
    properties = {
        "agent": {**TEXT, "description": "Id or slug; a person names whom to run as."},
        "tool": {**TEXT, "minLength": 1, "description": "Id or name: `<connection>/<name>`."},
        "input": {"type": "object", "description": "The tool's arguments."},
        "environment": {**TEXT, "description": "Id or name, where several have the agent."},
        "timeout_seconds": {"type": "number", "minimum": 1, "maximum": 300, "default": 30},
    }
    return {**_object(properties, "tool"), "additionalProperties": False}


def _execution() -> Schema:
    content = {"type": "array", "items": {"type": "object"}}
    result = {"content": content, "isError": {"type": "boolean"}}
    moments = {"started_at": MOMENT, "ended_at": MOMENT}
    return _object(
        {
            "run_id": UUID,
            "status": {"type": "string", "enum": ["succeeded", "failed"]},
            "decision_id": UUID,
            "agent": _object({"id": UUID, "slug": TEXT}),
            "tool": _object({"id": UUID, "name": TEXT, "version": TEXT}),
            "result": {
                **_object(result),
                "additionalProperties": True,
                "description": "What the tool answered, as MCP's `CallToolResult`.",
            },
            "execution": _object({**moments, "duration_ms": {"type": "integer"}}),
        }
    )


def _probe(name: str, description: str, *, ready: bool) -> Schema:
    answer = {"description": "Yes.", "content": _json("Health")}
    refusals = dict(problems.responses({503})) if ready else {}
    return {
        "operationId": name,
        "description": description,
        "tags": ["health"],
        "security": [{}],
        "responses": {"200": answer, "403": _host_refused(), **refusals},
    }


def _host_refused() -> Schema:
    return dict(problems.responses({403}))["403"]


def _json(component: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{component}"}}}


def _object(properties: dict[str, Any], *required: str) -> Schema:
    """An object that has these; all of them must be there unless some are named."""
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(required or properties),
    }
