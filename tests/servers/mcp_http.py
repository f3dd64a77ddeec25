"""A real MCP server over Streamable HTTP in a process of its own, built with the SDK."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def running(*flags: str) -> Iterator[str]:
    """Run ``mcp_sdk`` with these flags; yields the address of its endpoint."""
    with program("tests.servers.mcp_sdk", *flags) as endpoint:
        _read(endpoint, "/log")
        yield endpoint


@contextlib.contextmanager
def program(module: str, *flags: str) -> Iterator[str]:
    """Run a server that inherits its socket; yields the address of its endpoint.

    The socket listens before the process does: whoever asks is answered once it is ready.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-m", module, str(number), *flags]
        process = subprocess.Popen(command, pass_fds=[number])
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        endpoint = endpoint.replace("/mcp", "/sse") if "--sse" in flags else endpoint
    try:
        yield endpoint
    finally:
        process.terminate()
        process.wait()


async def told(endpoint: str, path: str) -> Any:
    """What the server says at one of its own addresses."""
    return await asyncio.to_thread(_read, endpoint, path)


def _read(endpoint: str, path: str) -> Any:
    address = endpoint.rpartition("/")[0] + path
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  our own server
        return json.load(answer)
