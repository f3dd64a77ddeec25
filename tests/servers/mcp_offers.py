"""A server of resources, templates, prompts and completions, in either era."""

from typing import Any

from tests.servers.mcp_raw import STATELESS, Asked, RawServer

EVERYTHING = {"tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {}}
RESOURCES = [
    {
        "uri": "file:///pub/readme.md",
        "name": "readme",
        "x-shelf": {"n": 1},
        "icons": [{"src": "i"}],
    },
    {"uri": "file:///pub/plan.md", "name": "plan"},
    {"uri": "file:///secret/key", "name": "key"},
    {"uri": "nothing that a policy could speak of", "name": "odd"},
]
TEMPLATES = [
    {"uriTemplate": "file:///pub/{name}", "name": "pub"},
    {"uriTemplate": "file:///secret/{name}", "name": "secret"},
]
PROMPTS = [
    {"name": "greet", "arguments": [{"name": "who", "required": True}, {"name": "how"}]},
    {"name": "a/ü", "description": "odd name"},
]
BLOCKS = [
    {"type": "resource_link", "uri": "file:///pub/plan.md", "name": "plan"},
    {"type": "resource", "resource": {"uri": "file:///pub/readme.md", "text": "hi"}},
    {"type": "text", "text": "uri"},
]


class Shop:
    """What it answers by method, which a test may change, and what it heard."""

    def __init__(self, *, modern: bool = True, capabilities: Any = None) -> None:
        self.modern = modern
        self.capabilities = EVERYTHING if capabilities is None else capabilities
        self.heard: list[dict[str, Any]] = []
        self.errors: dict[str, tuple[int, str, Any]] = {}
        self.answers: dict[str, Any] = {
            "resources/list": {"resources": RESOURCES},
            "resources/templates/list": {"resourceTemplates": TEMPLATES},
            "prompts/list": {"prompts": PROMPTS},
            "resources/read": {"contents": [{"uri": "file:///pub/readme.md", "text": "hello"}]},
            "prompts/get": {"messages": [{"role": "user", "content": each} for each in BLOCKS]},
            "completion/complete": {"completion": {"values": ["one", "two"]}},
            "tools/list": {"tools": []},
            "ping": {},
        }

    def server(self) -> RawServer:
        """The server, to be entered."""
        return RawServer(self.answer)

    def methods(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every request of a method."""
        return [each["params"] for each in self.heard if each.get("method") == method]

    def answer(self, asked: Asked) -> None:
        """Answer one request."""
        method = asked.message.get("method", "")
        self.heard.append(asked.message)
        if method == "server/discover" and self.modern:
            asked.result({"supportedVersions": [STATELESS], "capabilities": self.capabilities})
        elif method == "initialize":
            info = {"name": "old", "version": "1"}
            told = {"protocolVersion": "2025-06-18", "serverInfo": info}
            asked.result({**told, "capabilities": self.capabilities})
        elif method.startswith("notifications/") or not method:
            asked.reply(b"", "202 Accepted")
        elif method in self.errors:
            code, message, data = self.errors[method]
            asked.error(code, message, data=data)
        elif method in self.answers:
            asked.result(self.answers[method])
        else:
            asked.error(-32601, status="404 Not Found")
