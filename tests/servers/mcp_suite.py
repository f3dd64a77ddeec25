"""A program: an MCP server over Streamable HTTP that offers the conformance suite's fixtures.

Built with the SDK's low-level server, in both eras: `python -m tests.servers.mcp_suite SOCKET`.
"""

import asyncio
import json
import socket
import sys
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError

from tests.servers import suite_content as content
from tests.servers import suite_questions as questions
from tests.servers.suite_content import JSON, text

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
DEFAULTS: JSON = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
PAIRS = [{"const": f"value{n}", "title": f"{n}. option"} for n in (1, 2, 3)]
PLAIN = {"type": "string", "enum": ["option1", "option2", "option3"]}
ENUMS: JSON = {
    "untitledSingle": PLAIN,
    "titledSingle": {"type": "string", "oneOf": PAIRS},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": PLAIN},
    "titledMulti": {"type": "array", "items": {"anyOf": PAIRS}},
}
FORMS: dict[str, JSON] = {
    "test_elicitation_sep1034_defaults": DEFAULTS,
    "test_elicitation_sep1330_enums": ENUMS,
    "test_elicitation": {"username": {"type": "string"}, "email": {"type": "string"}},
    "test_streaming_elicitation": {"name": {"type": "string"}},
}
ARGUMENTS: dict[str, JSON] = {
    "test_sampling": {"prompt": {"type": "string"}},
    "test_elicitation": {"message": {"type": "string"}},
    "test_routed": {"region": {"type": "string", "x-mcp-header": "Region"}},
}
NAMES = (
    *content.CONTENT,
    "test_error_handling",
    "test_tool_with_logging",
    "test_logging_tool",
    "test_tool_with_progress",
    "test_sampling",
    "test_routed",
    *FORMS,
    *questions.ROUNDS,
    "test_input_required_result_capabilities",
    "test_missing_capability",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
)


changes = InMemorySubscriptionBus()
spare = [f"test_spare_{number}" for number in range(9)]  # tools that are only there to go


def _schema(name: str) -> JSON:
    if name == "json_schema_2020_12_tool":
        return content.SCHEMA_2020
    properties = ARGUMENTS.get(name, {})
    return {"type": "object", "properties": properties, "required": [*properties]}


async def list_tools(_context: Any, _params: Any) -> JSON:
    tools = [
        {"name": name, "description": f"Fixture {name}.", "inputSchema": _schema(name)}
        for name in (*NAMES, "json_schema_2020_12_tool", *spare)
    ]
    return {"tools": tools}


async def call_tool(context: Any, params: types.CallToolRequestParams) -> JSON:
    name = params.name
    if name in content.CONTENT:
        return {"content": content.CONTENT[name]}
    if name in questions.ROUNDS:
        return _round(name, params)
    answer = ANSWERS.get(name)
    if answer is not None:
        return await answer(context, params)
    if name in NAMES or name == "json_schema_2020_12_tool":
        return {"content": [text(f"{name}: {json.dumps(params.arguments)}")]}
    raise MCPError(types.INVALID_PARAMS, f"There is no tool {name}.")


def _round(name: str, params: Any) -> JSON:
    answers = params.input_responses
    given = None if answers is None else _plain(answers)
    try:
        return questions.played(name, given, params.request_state)
    except questions.StateRefused:
        raise MCPError(types.INVALID_PARAMS, "The state is not one of ours.") from None


def _plain(answers: Any) -> JSON:
    return {
        key: value.model_dump(by_alias=True, exclude_none=True)
        if hasattr(value, "model_dump")
        else value
        for key, value in answers.items()
    }


async def fail(_context: Any, _params: Any) -> JSON:
    words = "This tool intentionally returns an error for testing"
    return {"isError": True, "content": [text(words)]}


async def log(context: Any, _params: Any) -> JSON:
    for words in (
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await asyncio.sleep(0.05)
    return {"content": [text("logged")]}


async def progress(context: Any, _params: Any) -> JSON:
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
        await asyncio.sleep(0.05)
    return {"content": [text("done")]}


async def ask_person(context: Any, params: Any) -> JSON:
    properties = FORMS[params.name]
    message = (params.arguments or {}).get("message", "Please fill this in.")
    asked = questions.form(message, **properties)
    if context.protocol_version == "2026-07-28":
        if params.input_responses is None:
            return {"resultType": "input_required", "inputRequests": {"form": asked}}
        return {"content": [text(f"User response: {_plain(params.input_responses)}")]}
    answer = await context.session.elicit_form(
        message, asked["params"]["requestedSchema"], related_request_id=context.request_id
    )
    said = f"action={answer.action}, content={json.dumps(answer.content)}"
    return {"content": [text(f"Elicitation completed: {said}")]}


async def ask_model(context: Any, params: Any) -> JSON:
    words = (params.arguments or {})["prompt"]
    answer = await context.session.create_message(
        [types.SamplingMessage(role="user", content=types.TextContent(type="text", text=words))],
        max_tokens=100,
        related_request_id=context.request_id,
    )
    return {"content": [text(f"LLM response: {answer.content}")]}


async def what_client_can(context: Any, params: Any) -> JSON:
    if params.input_responses is not None:
        return {"content": [text("answered")]}
    able = questions.answerable(
        {
            "user_name": questions.NAME,
            "capital_question": questions.CAPITAL,
            "client_roots": questions.ROOTS,
        },
        (context.params or {}).get("_meta", {}).get(CAPABILITIES, {}),
    )
    if not able:
        return {"content": [text("The client can answer nothing.")]}
    return {"resultType": "input_required", "inputRequests": able}


async def need_sampling(context: Any, _params: Any) -> JSON:
    able = (context.params or {}).get("_meta", {}).get(CAPABILITIES, {})
    if "sampling" not in able:
        data = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(-32021, "This tool needs sampling.", data)
    return {"content": [text("The client can sample.")]}


async def change_tools(_context: Any, _params: Any) -> JSON:
    spare.pop()
    await changes.publish(ToolsListChanged())
    return {"content": [text("changed")]}


async def change_prompts(_context: Any, _params: Any) -> JSON:
    await changes.publish(PromptsListChanged())
    return {"content": [text("changed")]}


ANSWERS = {
    "test_trigger_prompt_change": change_prompts,
    "test_trigger_tool_change": change_tools,
    "test_error_handling": fail,
    "test_tool_with_logging": log,
    "test_logging_tool": log,
    "test_tool_with_progress": progress,
    "test_sampling": ask_model,
    "test_input_required_result_capabilities": what_client_can,
    "test_missing_capability": need_sampling,
    **dict.fromkeys(FORMS, ask_person),
}


async def list_resources(_context: Any, _params: Any) -> JSON:
    return {"resources": content.RESOURCES}


async def list_templates(_context: Any, _params: Any) -> JSON:
    return {"resourceTemplates": [content.TEMPLATE]}


async def read_resource(_context: Any, params: types.ReadResourceRequestParams) -> JSON:
    uri = str(params.uri)
    found = content.CONTENTS.get(uri)
    first, _, rest = uri.removeprefix("test://template/").partition("/")
    if uri.startswith("test://template/") and rest == "data":
        told = {"id": first, "templateTest": True, "data": f"Data for ID: {first}"}
        found = {"mimeType": "application/json", "text": json.dumps(told)}
    if found is None:
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    return {"contents": [{"uri": uri, **found}]}


async def list_prompts(_context: Any, _params: Any) -> JSON:
    prompts = [
        {
            "name": name,
            "description": f"Fixture {name}.",
            "arguments": [{"name": word, "required": True} for word in words],
        }
        for name, words in content.PROMPT_ARGUMENTS.items()
    ]
    return {"prompts": prompts}


async def get_prompt(_context: Any, params: types.GetPromptRequestParams) -> JSON:
    if params.name == "test_input_required_result_prompt":
        if params.input_responses is None:
            asked = {"user_context": questions.CONTEXT}
            return {"resultType": "input_required", "inputRequests": asked}
        said = [{"role": "user", "content": text(str(_plain(params.input_responses)))}]
        return {"messages": said}
    prompts = content.prompts(dict(params.arguments or {}))
    if params.name not in prompts:
        raise MCPError(types.INVALID_PARAMS, f"There is no prompt {params.name}.")
    return {"messages": prompts[params.name]}


async def complete(_context: Any, params: types.CompleteRequestParams) -> JSON:
    words = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
    return {"completion": {"values": words, "total": len(words), "hasMore": False}}


HINTS = {"ttlMs": 1000, "cacheScope": "public"}


def in_its_era(handler: Any, *, cacheable: bool = False) -> Any:
    """Let a handler's result have what the modern era wants of it."""

    async def answer(context: Any, params: Any) -> JSON:
        result = await handler(context, params)
        if context.protocol_version != "2026-07-28":
            return result
        return {"resultType": "complete", **(HINTS if cacheable else {}), **result}

    return answer


def main() -> None:
    """Serve on an inherited socket until told to stop."""
    server: Server[Any] = Server(
        "suite",
        version="1.0.0",
        get_tool_input_schema=_schema,
        on_list_tools=in_its_era(list_tools, cacheable=True),
        on_call_tool=in_its_era(call_tool),
        on_list_resources=in_its_era(list_resources, cacheable=True),
        on_list_resource_templates=in_its_era(list_templates, cacheable=True),
        on_read_resource=in_its_era(read_resource, cacheable=True),
        on_list_prompts=in_its_era(list_prompts, cacheable=True),
        on_get_prompt=in_its_era(get_prompt),
        on_completion=in_its_era(complete),
        on_subscriptions_listen=ListenHandler(changes),
    )
    config = uvicorn.Config(
        server.streamable_http_app(), log_level="warning", timeout_graceful_shutdown=1
    )
    listening = socket.socket(fileno=int(sys.argv[1]))
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
