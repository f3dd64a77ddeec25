"""What of an upstream's words reaches a client, and what the upstream may know of the client."""

import pytest

from agentxsuite.gateway.jsonrpc import META, Message, RpcError
from agentxsuite.gateway.mcp.relay import Relay
from agentxsuite.gateway.mcp.wishes import Wishes

PROGRESS, LOG = "notifications/progress", "notifications/message"


def wishes(*, modern=True, **meta):
    named = {name.replace("_", "/"): value for name, value in meta.items()}
    known = {name if name == "progressToken" else f"{META}{name}": named[name] for name in named}
    return Wishes.of(Message(1, "tools/call", {"_meta": known}), modern=modern)


async def passed(wished, *messages):
    told = []
    relay = Relay(wished, told.append)
    for method, params in messages:
        await relay.hear({"method": method, "params": params})
    return told


async def test_progress_comes_under_the_clients_own_token():
    """Otherwise: a client cannot tell which of its calls moves on."""
    said = {"progressToken": 7, "progress": 1, "odd": [1], "_meta": {f"{META}x": 1, "y": 2}}
    (told,) = await passed(wishes(progressToken="mine"), (PROGRESS, said), (LOG, {"level": "info"}))
    assert told["params"] == {"progressToken": "mine", "progress": 1, "odd": [1], "_meta": {"y": 2}}
    assert await passed(wishes(), (PROGRESS, said)) == []


@pytest.mark.parametrize(
    ("wished", "levels"),
    [
        (wishes(), []),
        (wishes(logLevel="warning"), ["error", "warning"]),
        (wishes(modern=False), ["info", "error", "warning"]),
    ],
)
async def test_log_messages_come_as_severe_as_wanted(wished, levels):
    """Otherwise: clients get log messages they must not get, or miss an error."""
    said = [(LOG, {"level": level}) for level in ("debug", "info", "error", "warning", "odd", None)]
    told = await passed(wished, *said)
    assert [message["params"]["level"] for message in told] == levels


async def test_nothing_else_is_passed_on():
    """Otherwise: a server speaks to clients in our name."""
    wished = wishes(progressToken=1, logLevel="debug")
    assert await passed(wished, ("notifications/cancelled", {}), (LOG, None), (None, {})) == []
    deaf = Relay(wished)
    await deaf.hear({"method": PROGRESS, "params": {"progress": 1}})
    assert f"{META}logLevel" not in deaf.stamp


def test_an_upstream_knows_what_the_client_can_be_asked():
    """Otherwise: tools ask a client that cannot answer, or never ask one that can."""
    able = {"elicitation": {"form": {}}, "sampling": {"tools": {}}, "roots": {}}
    told = {**able, "tasks": {}}
    relay = Relay(wishes(clientCapabilities=told, logLevel="info"), [].append)
    assert relay.stamp == {f"{META}clientCapabilities": able, f"{META}logLevel": "info"}
    some = wishes(clientCapabilities={"sampling": {}, "extensions": {}})
    assert some.capabilities == {"sampling": {}}
    assert wishes(clientCapabilities=able, modern=False).capabilities == {}
    assert wishes(clientCapabilities=3).capabilities == {}


@pytest.mark.parametrize("meta", [{"progressToken": [1]}, {"logLevel": "loud"}])
def test_what_cannot_be_meant_is_refused(meta):
    """Otherwise: a client with a defect waits for what never comes."""
    with pytest.raises(RpcError) as refused:
        wishes(**meta)
    assert refused.value.code == -32602
