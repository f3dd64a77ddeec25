"""Codes and tokens, as they go over the wire: what is good, how often, where, and until when."""

import base64
import hashlib

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.models import IssuedToken
from agentxsuite.control.agents.services import change_agent, delete_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.oauth.models import AccessToken, Code, Grant, RefreshToken
from agentxsuite.control.tenancy.members import change_member, remove_member
from agentxsuite.control.tenancy.models import OrganizationMembership
from tests.browser.visitor import Visitor, program_of

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
REFUSED = [
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "x" * 200}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": "everything"}, "invalid_scope"),
    ({"resource": None}, "invalid_target"),
    ({"resource": "https://elsewhere.example/mcp/"}, "invalid_target"),
]
NOT_THE_CLIENTS = [
    {"redirect_uri": "http://127.0.0.1:9/other"},
    {"redirect_uri": "https://evil.example/callback"},
    {"redirect_uri": "http://127.0.0.1:9/callback?x=1"},
    {"client_id": "nobody"},
    {"client_id": "a\x00b"},
    {"client_id": "https://nowhere.invalid/client.json"},
]


async def test_the_server_tells_clients_how_to_log_in(house):
    """Otherwise: no client finds the login."""
    where = (
        await house.client.get(f"/.well-known/oauth-protected-resource{house.world.mcp}")
    ).json()
    assert where["resource"] == house.mcp
    assert where["authorization_servers"] == [house.base]
    assert where["scopes_supported"] == ["tool.invoke", "resource.read", "prompt.get"]
    one = f"/.well-known/oauth-protected-resource{house.world.mcp}tests/"
    assert (await house.client.get(one)).json()["resource"] == f"{house.mcp}tests/"
    server = (await house.client.get("/.well-known/oauth-authorization-server")).json()
    assert server["issuer"] == house.base
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["response_types_supported"] == ["code"]
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["client_id_metadata_document_supported"] is True
    assert set(server["scopes_supported"]) == set(where["scopes_supported"])
    for name in ("token", "revocation", "registration", "authorization"):
        path = server[f"{name}_endpoint"].removeprefix(house.base)
        assert (await house.client.put(path)).status_code in {403, 405}


async def test_a_code_is_good_once_and_coming_twice_ends_everything(house):
    """Otherwise: who steals a code from a log gets in, or stays in."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        code = (await bob.answer(program.link()))["code"]
    tokens = (await program.exchange(code)).json()
    assert (await program.list_tools(tokens["access_token"])).status_code == 200
    again = await program.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await program.list_tools(tokens["access_token"])).status_code == 401
    assert (await program.refresh(tokens["refresh_token"])).status_code == 400
    event = await sync_to_async(AuditEvent.objects.get)(event_type="grant_ended")
    assert event.event_data["why"] == "code_reused"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_request"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"resource": "http://127.0.0.1/mcp/"}, "invalid_target"),
        ({"code": "0" * 32 + ".x"}, "invalid_grant"),
        ({"code": "é\x00"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_good_for_its_own_client_only(house, changes, error):
    """Otherwise: a stolen code is worth something to the thief."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        code = (await bob.answer(program.link()))["code"]
    answer = await program.exchange(**{"code": code, **changes})
    assert answer.status_code in {400, 401}, answer.text
    assert answer.json()["error"] == error
    assert await sync_to_async(IssuedToken.objects.exclude(metadata__has_key="user").count)() == 1
    assert await sync_to_async(AccessToken.objects.count)() == 0


async def test_what_a_client_may_not_ask_it_is_told(house):
    """Otherwise: clients log in without what protects their people."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        for changes, error in REFUSED:
            told = await bob.answer(program.link(**changes))
            known = (error, house.base, program.state)
            assert (told["error"], told["iss"], told["state"]) == known, changes


async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(house):
    """Otherwise: our login sends people, and their codes, to whoever asks."""
    program = await program_of(house)
    for changes in NOT_THE_CLIENTS:
        answer = await house.client.get(program.link(**changes))
        assert answer.status_code == 400, changes
        assert "This request cannot be answered" in answer.text
        assert "location" not in answer.headers


async def test_a_refresh_token_is_good_once(house):
    """Otherwise: a copied token keeps its thief in for as long as its owner."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        first = await bob.tokens(program)
    second = (await program.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await program.list_tools(second["access_token"])).status_code == 200
    stolen = await program.refresh(first["refresh_token"])
    assert stolen.json()["error"] == "invalid_grant"
    assert (await program.list_tools(second["access_token"])).status_code == 401
    assert (await program.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    event = await sync_to_async(AuditEvent.objects.get)(event_type="grant_ended")
    assert event.event_data["why"] == "token_reused"


async def test_nothing_that_opens_a_door_is_kept(house):
    """Otherwise: who reads the database can act as everybody."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        code = (await bob.answer(program.link()))["code"]
    tokens = (await program.exchange(code)).json()

    def stored():
        kinds = (Code, AccessToken, RefreshToken, Grant, IssuedToken, AuditEvent)
        return str([list(kind.objects.values()) for kind in kinds])

    text = await sync_to_async(stored)()
    for secret in (code, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in text
        assert secret.rpartition(".")[2] not in text
    assert hashlib.sha256(code.encode()).hexdigest() in text


async def test_a_token_opens_the_doors_of_its_environment_and_no_other(house):
    """Otherwise: who may use the test environment may use the real one."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        token = (await bob.tokens(program, resource=f"{house.mcp}tests/"))["access_token"]
    assert (await program.list_tools(token, f"{house.world.mcp}tests/")).status_code == 200
    company = house.world.company
    other = f"/mcp/{company.organization.id}/{company.dev.id}/"
    refused = await program.list_tools(token, other)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_wrong_audience")
    body = {"tool": "tests/echo", "input": {"text": "x"}}
    lines = {"authorization": f"Bearer {token}"}
    run = await house.client.post(house.world.execute, json=body, headers=lines)
    assert run.status_code == 201, run.text
    claims = token.split(".")[1]
    assert house.mcp.encode() in base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))


async def lowered(house):
    member = await sync_to_async(OrganizationMembership.objects.get)(user=house.person("bob"))
    await sync_to_async(change_member)(house.world.company.actor, member, role="viewer")


async def removed(house):
    member = await sync_to_async(OrganizationMembership.objects.get)(user=house.person("bob"))
    await sync_to_async(remove_member)(house.world.company.actor, member)


async def disabled_person(house):
    bob = house.person("bob")
    bob.is_active = False
    await sync_to_async(bob.save)()


async def deleted_agent(house):
    await sync_to_async(delete_agent)(house.world.company.actor, house.agent)


@pytest.mark.parametrize("change", [lowered, removed, disabled_person, deleted_agent])
async def test_what_a_person_may_no_longer_do_no_client_does_for_them(house, change):
    """Otherwise: somebody who was let go still calls tools, by a program that runs on."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program)
    assert (await program.list_tools(tokens["access_token"])).status_code == 200
    await change(house)
    assert (await program.list_tools(tokens["access_token"])).status_code == 401
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_disabled_agent_does_nothing_and_gets_no_token(house):
    """Otherwise: switching an agent off leaves those on who came in by a login."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program)
        company = house.world.company
        await sync_to_async(change_agent)(company.actor, house.agent, enabled=False)
        listed = (await program.list_tools(tokens["access_token"])).json()
        assert listed["result"]["tools"] == []
        assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert "There is no agent" in (await bob.browser.get(program.link())).text


async def test_a_client_ends_its_own_tokens_and_nobody_elses(house):
    """Otherwise: logging out in a client leaves its tokens good, or one client logs another out."""
    program, other = await program_of(house), await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program)

    async def revoke(client_id, token):
        fields = {"client_id": client_id, "token": token}
        return (await house.client.post("/oauth/revoke/", data=fields)).status_code

    for token in (tokens["access_token"], tokens["refresh_token"], "nonsense", "a.b.c"):
        assert await revoke(other.client_id, token) == 200
    assert (await program.list_tools(tokens["access_token"])).status_code == 200
    assert await revoke(program.client_id, tokens["refresh_token"]) == 200
    assert (await program.list_tools(tokens["access_token"])).status_code == 401
    event = await sync_to_async(AuditEvent.objects.get)(event_type="grant_ended")
    assert event.event_data["why"] == "revoked_by_client"


async def test_a_token_gives_what_was_asked_for_and_no_more(house):
    """Otherwise: a client that was let in to read resources calls tools."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program, scope="resource.read")
    refused = await program.list_tools(tokens["access_token"])
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


async def test_an_agent_that_is_not_offered_cannot_be_chosen(house):
    """Otherwise: whoever edits a form acts as any agent."""
    program = await program_of(house)
    company = house.world.company
    tester = await sync_to_async(company.agent)("Tester", company.dev)
    async with Visitor(house) as bob:
        page = await bob.browser.get(program.link())
        for agent in (str(tester.id), "", "x"):
            fields = {"agent": agent, "answer": "allow"}
            answer = await bob.submit(program.link(), page, fields)
            assert (answer.status_code, "Choose the agent" in answer.text) == (400, True)
        answer = await bob.submit(program.link(), page, {"scope": "everything"})
        assert answer.status_code == 400
    assert await sync_to_async(Grant.objects.count)() == 0
