"""What an upstream says of a request while it works on it reaches whoever listens."""

import json

import pytest

from tests.servers.mcp_raw import handshake, stateless

SAID = "io.modelcontextprotocol/logLevel"


class Listener:
    """Notes what it hears, and knows what to say to one question."""

    def __init__(self):
        self.heard = []

    @property
    def stamp(self):
        return {SAID: "info"}

    async def hear(self, message):
        self.heard.append(message)
        return {"result": {"yes": True}} if message["method"] == "may/I" else None


def progress(token, step):
    params = {"progressToken": token, "progress": step}
    return json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})


def ask(upstreams, endpoint, listener, name="x", **arguments):
    params = {"name": name, "arguments": arguments}
    return upstreams.request(endpoint, "tools/call", params, timeout=10, listener=listener)


@pytest.mark.parametrize("era", [stateless, handshake])
async def test_progress_and_questions_reach_the_listener(upstreams, serve, at, era):
    """Otherwise: nobody hears how far a call is, and a server's question goes unanswered."""
    answers = []

    def script(asked):
        if asked.message.get("method") != "tools/call":
            answers.append(asked.message)
            return asked.reply(b"", "202 Accepted")
        token = asked.message["params"]["_meta"]["progressToken"]
        assert token == asked.message["id"]
        asked.stream(
            progress(token, 1).encode(),
            b'{"jsonrpc":"2.0","id":"a","method":"may/I"}',
            b'{"jsonrpc":"2.0","id":"b","method":"ping"}',
            asked.answer(result={"meta": asked.message["params"]["_meta"]}),
        )
        return None

    server, listener = await serve(era(script)), Listener()
    result = await ask(upstreams, at(server), listener)
    assert [each["method"] for each in listener.heard] == [
        "notifications/progress",
        "may/I",
        "ping",
    ]
    assert (SAID in result["meta"]) is (era is stateless)
    if era is handshake:
        assert [each["result"] for each in answers] == [{"yes": True}, {}]


async def test_each_call_of_a_process_hears_of_itself_alone(upstreams, at):
    """Otherwise: one caller sees the progress of another's call."""
    endpoint, mine, theirs = at("stdio://pipes?era=stateless"), Listener(), Listener()
    answer = '{"jsonrpc":"2.0","id":$ID,"result":{}}'
    text = "\n".join([progress("$ID", 1).replace('"$ID"', "$ID"), progress(999, 5), answer])
    await ask(upstreams, endpoint, mine, "raw", text=text)
    await ask(upstreams, endpoint, theirs, "echo")
    assert [each["params"]["progress"] for each in mine.heard] == [1]
    assert theirs.heard == []
    odd = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"x"}}'
    await ask(upstreams, endpoint, mine, "raw", text=f"{odd}\n{answer}")
    assert len(mine.heard) == 1
