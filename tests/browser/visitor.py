"""A browser without a screen, for what needs no eyes: it follows our pages and fills in forms."""

import re
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.browser.conftest import PASSWORD, House
from tests.browser.pages import Callback, Program

FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """Somebody who is logged in with a password."""

    def __init__(self, house: House, name: str = "bob") -> None:
        self.house, self.email = house, house.person(name).email
        self.browser = httpx2.AsyncClient(base_url=house.base, timeout=30)

    async def __aenter__(self) -> Self:
        page = await self.browser.get("/login/")
        fields = {"email": self.email, "password": PASSWORD, "next": ""}
        answer = await self.submit("/login/", page, fields)
        assert answer.status_code == 200, answer.text
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.aclose()

    async def submit(self, address: str, page: httpx2.Response, fields: dict[str, str]):
        """Send a page's form."""
        token = FORM_TOKEN.search(page.text)[1]
        lines = {"origin": self.house.base}
        fields = {**fields, "csrfmiddlewaretoken": token}
        return await self.browser.post(address, data=fields, headers=lines)

    async def answer(self, link: str, **fields: str) -> dict[str, str]:
        """Answer a client's request: what it is told."""
        page = await self.browser.get(link)
        if page.status_code == 200:
            chosen = {"agent": str(self.house.agent.id), "answer": "allow", **fields}
            page = await self.submit(link, page, chosen)
        return told(page)

    async def tokens(self, program: Program, **asked: str) -> dict[str, str]:
        """Let a client in: its tokens."""
        answer = await self.answer(program.link(**asked))
        resource = asked.get("resource", self.house.mcp)
        found = await program.exchange(answer["code"], resource=resource)
        assert found.status_code == 200, found.text
        return found.json()


def told(answer: httpx2.Response) -> dict[str, str]:
    """What stands in the address that the browser is sent to."""
    assert answer.status_code == 302, answer.text
    query = urlsplit(answer.headers["location"]).query
    return {name: words[0] for name, words in parse_qs(query).items()}


async def program_of(house: House, port: int = 9, **facts) -> Program:
    """A client that has registered itself."""
    callback = Callback()
    callback.port = port
    program = Program(house, callback)
    await program.register(**facts)
    return program
