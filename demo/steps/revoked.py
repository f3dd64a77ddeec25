"""A revoked token is refused on the very next call, at both doors."""

import httpx2

from demo.agent import agent_with
from demo.expectation import expect
from demo.stage import Stage
from demo.words import HALF_PAST_FOUR


async def play(stage: Stage) -> None:
    """Use a second token of the agent, revoke it, use it again."""
    lost = await stage.person.issue("on a laptop that was stolen")
    async with agent_with(lost.token, stage.world, stage.transcript) as thief:
        good = await thief.execute("time/convert_time", HALF_PAST_FOUR)
        expect("the status while the token is good", good.status_code, 201)
        stage.agent.calls += thief.calls

        revoke = f"{stage.person.tokens}{lost.jti}/revoke/"
        stage.transcript.asks("person, REST", f"POST {revoke}")
        await stage.person.post(revoke)
        refused = await thief.execute("time/convert_time", HALF_PAST_FOUR)
        expect("the status of the next call", refused.status_code, 401)
        expect("its code", refused.json()["code"], "token_revoked")
        expect("it is told how to log in", "www-authenticate" in refused.headers, wanted=True)
    await knock_at_the_other_door(stage, lost.token)


async def knock_at_the_other_door(stage: Stage, token: str) -> None:
    """MCP says it in HTTP's words, before any JSON-RPC."""
    headers = {"Authorization": f"Bearer {token}"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    stage.transcript.asks("agent, MCP", "tools/list")
    async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
        answer = await http.post(stage.world.mcp_url, json=call)
    expect("the status at the MCP door", answer.status_code, 401)
    stage.transcript.gets(f"401 WWW-Authenticate: {answer.headers['www-authenticate']}")
