"""Host and Origin: who is spoken to, and on whose behalf."""

import pytest

from agentxsuite.gateway.hosts import Hosts
from agentxsuite.gateway.http import Request

HOSTS = Hosts(("agents.example", "127.0.0.1", ".corp.example"))


def asked(**headers):
    async def receive():
        return {"type": "http.disconnect"}

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request.read({"method": "GET", "path": "/", "headers": lines, "client": None}, receive)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "agents.example"},
        {"host": "127.0.0.1:8000"},
        {"host": "a.corp.example:443", "origin": "https://agents.example"},
    ],
)
def test_our_own_names_are_answered(headers):
    """Nobody could reach the server under its own name."""
    assert HOSTS.admits(asked(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": ""},
        {"host": "agents.example", "origin": "https://evil.example"},
        {"host": "agents.example", "origin": "null"},
        {"host": "corp.example.evil"},
        {"host": "agents.example.evil"},
        {"host": "[agents.example"},
    ],
)
def test_foreign_names_are_not(headers):
    """A web page could reach a local gateway through a name it rebinds (DNS rebinding)."""
    assert not HOSTS.admits(asked(**headers))


def test_a_star_answers_every_name():
    """Operators behind a checking proxy could not switch the check off."""
    assert Hosts(("*",)).admits(asked(host="anything.example"))
