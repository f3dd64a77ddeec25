"""Servers that are processes: real ones from packages, and one with chosen manners."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from agentxsuite.engines.upstream import (
    Egress,
    Limits,
    Template,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRpcError,
    Upstreams,
    UpstreamTimeout,
    UpstreamUnavailable,
    handshake,
)
from agentxsuite.engines.upstream import process as processes

PIPES = "stdio://pipes"
HUGE = 123456789012345678901234567890


def process_of(engine):
    return engine._peers["connection"][1]._channel._process


async def ended(pid):
    """Wait until this process has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, gone.set)
    try:
        async with asyncio.timeout(5):
            await gone.wait()
    finally:
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)


async def test_time_server(upstreams, at):
    """A user could not call a server that comes as a package."""
    endpoint = at("stdio://time")
    info = await upstreams.probe(endpoint, timeout=30)
    assert info.name == "mcp-time"
    names = [tool["name"] for tool in await upstreams.list_tools(endpoint, timeout=30)]
    assert "get_current_time" in names
    result = await upstreams.call_tool(
        endpoint, "get_current_time", {"timezone": "Europe/Berlin"}, timeout=30
    )
    assert "Europe/Berlin" in result["content"][0]["text"]


async def test_git_server(upstreams, at, tmp_path):
    """A user could not look into a repository."""
    git = await asyncio.create_subprocess_exec("git", "init", "-q", tmp_path)
    assert await git.wait() == 0
    (tmp_path / "new.txt").write_text("x")
    arguments = {"repo_path": str(tmp_path)}
    result = await upstreams.call_tool(at("stdio://git"), "git_status", arguments, timeout=30)
    assert "new.txt" in result["content"][0]["text"]


@pytest.mark.parametrize("era", ["stateless", "handshake"])
async def test_calls_in_both_eras(upstreams, at, era):
    """Half of the servers there are could not be called, or a long number would change."""
    endpoint = at(f"{PIPES}?era={era}")
    result = await upstreams.call_tool(endpoint, "echo", {"n": HUGE, "s": "ü\n"}, timeout=10)
    assert result["structuredContent"] == {"n": HUGE, "s": "ü\n"}
    for _ in range(2):
        assert (await upstreams.probe(endpoint, timeout=10)).era == era


async def test_a_server_that_dies_of_the_question(upstreams, at):
    """An older server that ends itself over an unknown request could never be called."""
    result = await upstreams.call_tool(at(f"{PIPES}?era=fragile"), "echo", {}, timeout=10)
    assert result["content"] == []


async def test_clean_surroundings(upstreams, at, monkeypatch):
    """A command would inherit the server's secrets, files and signals."""
    monkeypatch.setenv("SECRET_KEY", "ours")
    ours = os.dup2(0, 200, inheritable=True)
    told = await upstreams.call_tool(at(PIPES, secret="s3cret"), "about", {}, timeout=10)
    assert {name: told["env"][name] for name in ("PATH", "COLOUR", "TOKEN")} == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "COLOUR": "blue",
        "TOKEN": "s3cret",
    }
    os.close(ours)
    assert "SECRET_KEY" not in told["env"]
    assert told["files"] == [0, 1, 2, 3]  # the last is the folder that was listed
    assert told["group"]
    assert told["session"]
    assert told["cwd"] == "/"


async def test_limits(at, templates):
    """One command could take the whole machine."""
    limited = Template(
        "pipes",
        templates["pipes"].command[:-1],
        limits=Limits(file_mib=1, open_files=64, cpu_seconds=60, memory_mib=2048),
    )
    async with Upstreams(Egress(), {"pipes": limited}) as engine:
        told = await engine.call_tool(at(PIPES), "about", {}, timeout=10)
    assert told["limits"] == {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_FSIZE": 1024 * 1024,
    }


async def test_silent_about_the_question(upstreams, at, monkeypatch):
    """An older server that ignores unknown requests could never be called."""
    monkeypatch.setattr(handshake, "DISCOVERY_SECONDS", 0.1)
    told = await upstreams.call_tool(at(f"{PIPES}?era=silent"), "heard", {}, timeout=10)
    assert told["cancelled"] == []


async def test_answer_beside_other_lines(upstreams, at):
    """A notification before an answer, or a broken line behind it, would cost the answer."""
    answer = '{"jsonrpc":"2.0","id":$ID,"result":{"content":["good"]}}'
    for text in ('{"jsonrpc":"2.0","method":"notifications/x"}\n' + answer, answer + "\n{broken"):
        result = await upstreams.call_tool(at(PIPES), "raw", {"text": text}, timeout=10)
        assert result == {"content": ["good"]}


async def test_many_calls_at_a_time(upstreams, at):
    """Calls to one process would wait for each other."""
    endpoint = at(PIPES)
    waiting = asyncio.create_task(upstreams.call_tool(endpoint, "never", {}, timeout=30))
    results = await asyncio.gather(
        *(upstreams.call_tool(endpoint, "echo", {"n": n}, timeout=10) for n in range(100))
    )
    assert [result["structuredContent"]["n"] for result in results] == list(range(100))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_timeout_cancels(upstreams, at):
    """A slow tool would keep working for nobody."""
    endpoint = at(PIPES)
    with pytest.raises(UpstreamTimeout) as caught:
        await upstreams.call_tool(endpoint, "never", {}, timeout=0.5)
    assert caught.value.sent
    told = await upstreams.call_tool(endpoint, "heard", {}, timeout=10)
    assert len(told["cancelled"]) == 1


async def test_late_answer_is_nobodys(upstreams, at):
    """The answer of a cancelled call could become another call's."""
    endpoint = at(PIPES)
    late = '{"jsonrpc":"2.0","id":%s,"result":{"content":["late"]}}'
    await upstreams.call_tool(endpoint, "echo", {}, timeout=10)
    for strange in ("1", '"$ID"', "null", "[1]"):
        with pytest.raises(UpstreamTimeout):
            await upstreams.call_tool(endpoint, "raw", {"text": late % strange}, timeout=0.2)
    twice = f"{late % '$ID'}\n{late % '$ID'}"
    result = await upstreams.call_tool(endpoint, "raw", {"text": twice}, timeout=10)
    assert result == {"content": ["late"]}


async def test_death_fails_at_once_and_the_next_call_works(upstreams, at):
    """A crashed server would hang its callers, or stay dead until somebody restarts us."""
    endpoint = at(PIPES)
    await upstreams.probe(endpoint, timeout=10)
    first = process_of(upstreams).pid
    waiting = asyncio.create_task(upstreams.call_tool(endpoint, "never", {}, timeout=30))
    with pytest.raises(UpstreamUnavailable) as caught:
        await upstreams.call_tool(endpoint, "die", {}, timeout=30)
    assert caught.value.sent
    with pytest.raises(UpstreamUnavailable, match="ended"):
        await waiting
    result = await upstreams.call_tool(endpoint, "about", {}, timeout=10)
    assert result["pid"] != first


async def test_last_words(upstreams, at):
    """The answer of a server that ends right after it would be lost."""
    result = await upstreams.call_tool(at(PIPES), "last", {}, timeout=10)
    assert result == {"content": []}


async def test_children_go_too(upstreams, at):
    """What a server started would stay behind for ever."""
    endpoint = at(PIPES)
    child = (await upstreams.call_tool(endpoint, "child", {}, timeout=10))["pid"]
    process = process_of(upstreams).pid
    await upstreams.forget(endpoint.id)
    await ended(process)
    await ended(child)
    again = await upstreams.call_tool(endpoint, "child", {}, timeout=10)
    os.kill(process_of(upstreams).pid, signal.SIGKILL)
    await ended(again["pid"])


async def test_a_process_that_will_not_go(at, templates, monkeypatch):
    """A server that ignores its end would keep the worker from stopping."""
    monkeypatch.setattr(processes, "EXIT_SECONDS", 0.1)
    stubborn = "import signal,sys;signal.signal(15,signal.SIG_IGN);exec(open(sys.argv[1]).read())"
    python, _, script, _ = templates["pipes"].command
    template = Template("pipes", (python, "-c", stubborn, script))
    async with Upstreams(Egress(), {"pipes": template}) as engine:
        await engine.probe(at(PIPES), timeout=10)
        process = process_of(engine).pid
    await ended(process)


async def test_forgotten_calls_fail(upstreams, at):
    """A call to a removed connection would hang until its timeout."""
    endpoint = at(PIPES)
    await upstreams.probe(endpoint, timeout=10)
    peer = upstreams._peers["connection"][1]
    waiting = asyncio.create_task(upstreams.call_tool(endpoint, "never", {}, timeout=30))
    await asyncio.sleep(0)
    await upstreams.forget(endpoint.id)
    with pytest.raises(UpstreamUnavailable, match="closed"):
        await waiting
    with pytest.raises(UpstreamUnavailable, match="closed"):
        await peer.list_tools()
    await upstreams.forget(endpoint.id)


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("turns", range(8))
async def test_forgotten_while_starting(upstreams, at, turns):
    """A connection removed while its command starts would leave a process or its pipes behind."""
    await upstreams.probe(at(PIPES), timeout=10)
    await upstreams.forget("connection")
    before = _open_files()
    starting = asyncio.create_task(upstreams.probe(at(PIPES), timeout=10))
    for _ in range(turns + 2):
        await asyncio.sleep(0)
    await upstreams.forget("connection")
    with pytest.raises(UpstreamUnavailable, match="closed"):
        await starting
    for _ in range(3):
        await asyncio.sleep(0)  # closed pipes leave the loop a turn later
    assert _open_files() <= before


async def test_changed_secret_starts_anew(upstreams, at):
    """A rotated secret would not reach the process that uses it."""
    first = await upstreams.call_tool(at(PIPES, secret="one"), "about", {}, timeout=10)
    second = await upstreams.call_tool(at(PIPES, secret="two"), "about", {}, timeout=10)
    assert (first["env"]["TOKEN"], second["env"]["TOKEN"]) == ("one", "two")
    await ended(first["pid"])


@pytest.mark.parametrize(
    ("tool", "arguments", "error", "text"),
    [
        ("raw", {"text": "{not json"}, UpstreamProtocolError, "not JSON"),
        ("raw", {"text": '{"jsonrpc":"2.0","id":$ID,"result":{"a":NaN}}'}, None, "not JSON"),
        ("raw", {"text": '{"a":' * 100}, UpstreamProtocolError, "not JSON"),
        ("raw", {"text": '{"id":$ID,"result":[]}'}, UpstreamProtocolError, "no result"),
        ("raw", {"text": '{"id":$ID,"error":{"code":-32602,"message":"m"}}'}, None, "m"),
        ("raw", {"text": "noise, not an answer"}, UpstreamTimeout, "within"),
        ("huge", {}, UpstreamProtocolError, "4 MiB"),
        ("mute", {}, UpstreamUnavailable, "ended"),
    ],
)
async def test_bad_manners(upstreams, at, tool, arguments, error, text):
    """One hostile command could hang its callers or fill the worker's memory."""
    endpoint = at(PIPES)
    await upstreams.probe(endpoint, timeout=10)
    with pytest.raises(error or UpstreamError, match=text) as caught:
        await upstreams.call_tool(endpoint, tool, arguments, timeout=1)
    assert caught.value.sent
    assert isinstance(caught.value, error or (UpstreamProtocolError, UpstreamRpcError))
    await upstreams.call_tool(endpoint, "echo", {}, timeout=10)


async def test_a_server_that_does_not_read(upstreams, at, monkeypatch):
    """What a deaf server does not read would pile up in our memory."""
    monkeypatch.setattr(processes, "MAX_UNREAD", 100_000)
    endpoint = at(PIPES)
    await upstreams.call_tool(endpoint, "deaf", {}, timeout=10)
    with pytest.raises(UpstreamTimeout):
        await upstreams.call_tool(endpoint, "echo", {"text": "x" * 1_000_000}, timeout=0.2)
    with pytest.raises(UpstreamUnavailable, match="does not read") as caught:
        await upstreams.call_tool(endpoint, "echo", {}, timeout=5)
    assert not caught.value.sent


async def test_questions_are_answered(upstreams, at):
    """A server that asks something would wait for ever."""
    endpoint = at(PIPES)
    for method in ("ping", "elicitation/create", "roots/list", "notifications/message"):
        await upstreams.call_tool(endpoint, "ask", {"method": method}, timeout=10)
    replies = (await upstreams.call_tool(endpoint, "heard", {}, timeout=10))["replies"]
    assert [reply.get("result", reply.get("error", {}).get("code")) for reply in replies] == [
        {},
        {"action": "decline"},
        -32601,
        -32601,
    ]


async def test_remarks_are_kept_within_bounds(upstreams, at):
    """An operator could not see why a command fails, or its chatter would fill the memory."""
    endpoint = at(PIPES)
    await upstreams.call_tool(endpoint, "grumble", {}, timeout=10)
    await upstreams.call_tool(endpoint, "echo", {}, timeout=10)
    process = process_of(upstreams)
    assert process.remarks.startswith(b"something is wrong\n")
    assert len(process.remarks) <= 64 * 1024


@pytest.mark.parametrize(
    ("template", "text"), [("missing", "cannot be started"), ("silent", "ended")]
)
async def test_no_server_at_all(upstreams, at, template, text):
    """A person would not learn that the command is not there."""
    with pytest.raises(UpstreamUnavailable, match=text) as caught:
        await upstreams.call_tool(at(f"stdio://{template}"), "t", {}, timeout=10)
    assert not caught.value.sent
