"""The protocol's own suite asks our login whether it is one."""

import asyncio
import os
import re

import httpx2
import pytest

from tests.browser.visitor import Visitor, program_of
from tests.clients import npm

pytestmark = [pytest.mark.django_db(transaction=True)]
LINK = re.compile(rb"http://\S+/oauth/authorize/\S+")
SECONDS = 60


async def test_the_suite_finds_a_login_as_the_protocol_has_it(house, tmp_path, unused_tcp_port):
    """Otherwise: clients that follow the protocol to the letter cannot log in."""
    program = await program_of(house, unused_tcp_port)
    words = ["--url", house.base, "--client-id", program.client_id, "--resource", house.mcp]
    words += ["--port", str(unused_tcp_port), "--output-dir", str(tmp_path)]
    if not (npm.PROGRAMS / "conformance").exists():
        raise npm.Missing
    suite = await asyncio.create_subprocess_exec(
        *(npm.PROGRAMS / "conformance", "authorization", *words),
        env={**os.environ, "PATH": f"{npm.PROGRAMS}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said = await answered(suite, house)
    except BaseException:  # not after its end: a signal would take its exit status away
        suite.kill()
        raise
    assert await suite.wait() == 0, said
    assert "Total: 3 passed, 0 failed" in said, said


async def answered(suite, house) -> str:
    """Be the person whom the suite asks to go to an address; what it said in the end."""
    assert suite.stdout is not None
    said = []
    async for line in suite.stdout:
        said.append(line)
        if found := LINK.search(line):
            async with Visitor(house) as bob, httpx2.AsyncClient() as browser:
                page = await bob.browser.get(found[0].decode())
                fields = {"agent": str(house.agent.id), "answer": "allow"}
                sent = await bob.submit(found[0].decode(), page, fields)
                assert (await browser.get(sent.headers["location"])).status_code == 200
    return b"".join(said).decode()
