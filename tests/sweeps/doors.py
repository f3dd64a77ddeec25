"""A whole server on a real socket, for what Django alone cannot answer."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx2
import uvicorn

from agentxsuite.project.asgi import Application
from tests.openapi.checked import answer_of, hold
from tests.sweeps.stage import Answer, Send

# A path for each of the gateway's routes that the REST API's rows do not have.
DOORS = (
    "/mcp/$org/$prod/",
    "/mcp/$org/$prod/$slug/",
    "/api/v1/orgs/$org/mcp/$prod/resources/",
    "/.well-known/oauth-protected-resource/mcp/$org/$prod/",
    "/.well-known/jwks.json",
    "/healthz",
    "/readyz",
)


@contextmanager
def served() -> Iterator[str]:
    """Serve on a free port, in a thread of its own; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(Application("all"), lifespan="on", log_level="warning")
        )
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def over(client: httpx2.Client) -> Send:
    """Ask a real server; no answer of the REST API is taken that its description has not."""

    def send(method: str, address: str, body: bytes, token: str) -> Answer:
        lines = {"content-type": "application/json", "accept": "application/json"}
        if token:
            lines["authorization"] = f"Bearer {token}"
        found = client.request(method, address, content=body, headers=lines)
        hold(answer_of(found))
        headers = {name: value for name, value in found.headers.items() if name != "date"}
        return Answer(found.status_code, headers, found.content)

    return send


def rpc(method: str, **params: Any) -> bytes:
    """A JSON-RPC request."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
