"""What a client hears of its call while it runs, in both eras on both sides."""

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.runs.models import Run
from agentxsuite.gateway.jsonrpc import MODERN
from tests.servers import mcp_http
from tests.story.conftest import synced
from tests.story.talking import Told, talking

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
STEPS = [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]
MODES = ["auto", "legacy", MODERN]


@pytest.fixture(scope="session")
def old_upstream():
    """A server of the old era with sessions."""
    with mcp_http.running("--handshake", "--sessions", "--stream") as url:
        yield url


@pytest.fixture(params=["new", "old"])
def talkative(request, world, upstream, old_upstream):
    """The world before a server of either era."""
    if request.param == "old":
        Connection.objects.update(endpoint=old_upstream)
        world.connection.refresh_from_db()
        synced(world.company, world.connection)
    world.allow()
    return world


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_sees_how_far_its_call_is(talkative, client, mode):
    """Otherwise: people stare at a tool that seems to do nothing, and stop it."""
    told = Told()
    async with talking(client, talkative, mode) as connected:
        call = connected.call_tool("tests__counting", {"steps": 3}, progress_callback=told.step)
        result = await call
    assert result.content[0].text == "counted"
    assert told.progress == STEPS
    assert (await sync_to_async(Run.objects.get)()).status == "succeeded"


@pytest.mark.parametrize(
    ("mode", "level", "heard"),
    [
        (MODERN, "error", ["error"]),
        (MODERN, "debug", ["debug", "info", "error"]),
        (MODERN, None, []),
        ("legacy", None, ["info", "error"]),
    ],
)
async def test_a_client_hears_what_it_wants_logged(talkative, client, mode, level, heard):
    """Otherwise: log messages drown a client that wants none, or never come."""
    told = Told()
    options = {"logging_callback": told.log, "log_level": level}
    async with talking(client, talkative, mode, **options) as connected:
        result = await connected.call_tool("tests__talking", {})
        again = await connected.call_tool("tests__echo", {"text": "next"})
    assert result.content[0].text == "talked"
    assert told.logs == [(each, {"said": each}) for each in heard]
    assert again.content[0].text == "next"
