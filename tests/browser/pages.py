"""What a person does on our pages, and a client's own end of the login."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Page

from tests.browser.conftest import PASSWORD, House


async def log_in(tab: Page, email: str, password: str = PASSWORD) -> None:
    """Fill the login form in."""
    await tab.get_by_label("E-mail address").fill(email)
    await tab.get_by_label("Password").fill(password)
    await tab.get_by_role("button", name="Log in").click()


async def allow(tab: Page, agent: str = "Clerk") -> None:
    """Choose the agent and say yes."""
    await tab.get_by_role("radio", name=agent).check()
    await tab.get_by_role("button", name="Allow").click()


class Callback:
    """A client's own address, on this machine, where browsers come back to."""

    def __init__(self) -> None:
        self.port = 0
        self.came: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/callback"

    async def answer(self) -> dict[str, str]:
        """What a browser brought, once one came."""
        async with asyncio.timeout(15):
            return await self.came.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        parts = urlsplit(head.split(" ")[1])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nDone")
        await writer.drain()
        writer.close()
        if parts.path == "/callback":
            self.came.put_nowait({name: words[0] for name, words in parse_qs(parts.query).items()})


@asynccontextmanager
async def listening() -> AsyncIterator[Callback]:
    """A callback that is served until left."""
    callback = Callback()
    server = await asyncio.start_server(callback._serve, "127.0.0.1", 0)
    callback.port = server.sockets[0].getsockname()[1]
    async with server:
        yield callback


class Program:
    """A client written out: every step of the login as it goes over the wire."""

    def __init__(self, house: House, callback: Callback) -> None:
        self.house, self.callback = house, callback
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(8)
        self.client_id = ""

    async def register(self, **facts) -> None:
        """Register, as the program that it is."""
        metadata = {"client_name": "Probe", "redirect_uris": [self.callback.address], **facts}
        answer = await self.house.client.post("/oauth/register/", json=metadata)
        assert answer.status_code == 201, answer.text
        self.client_id = answer.json()["client_id"]

    def link(self, **changes) -> str:
        """Where a person is sent; None takes a parameter away."""
        challenge = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback.address,
            "scope": "tool.invoke",
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "resource": self.house.mcp,
            **changes,
        }
        told = {name: value for name, value in asked.items() if value is not None}
        return f"{self.house.base}/oauth/authorize/?{urlencode(told)}"

    async def exchange(self, code: str, **changes):
        """Ask for tokens with a code."""
        asked = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": self.callback.address,
            "resource": self.house.mcp,
            **changes,
        }
        told = {name: value for name, value in asked.items() if value is not None}
        return await self.house.client.post("/oauth/token/", data=told)

    async def refresh(self, token: str):
        """Ask for tokens with a refresh token."""
        asked = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return await self.house.client.post("/oauth/token/", data=asked)

    async def list_tools(self, token: str, path: str = ""):
        """Use a token."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        lines = {"authorization": f"Bearer {token}", "accept": "application/json"}
        return await self.house.client.post(path or self.house.world.mcp, json=body, headers=lines)
