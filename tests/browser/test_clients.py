"""Clients: those that register themselves, programs with a secret, and who sees and ends what."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.oauth import forgetting, registration
from agentxsuite.control.oauth.grants import give
from agentxsuite.control.oauth.machines import create_machine
from agentxsuite.control.oauth.models import AccessToken, Client, Code, Grant
from tests.browser.visitor import Visitor, program_of
from tests.cast import client as rest

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
HOME = "http://127.0.0.1:9/callback"
NO_CLIENTS = [
    ({"redirect_uris": []}, "invalid_redirect_uri"),
    ({"redirect_uris": "http://127.0.0.1/"}, "invalid_redirect_uri"),
    ({"redirect_uris": [5]}, "invalid_redirect_uri"),
    ({"redirect_uris": [HOME] * 11}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://evil.example/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://a@b.example/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://b.example/#x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://*.example/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://b.example:x/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["https://b.example/ x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": [HOME], "grant_types": ["implicit"]}, "invalid_client_metadata"),
    ({"redirect_uris": [HOME], "grant_types": [{}]}, "invalid_client_metadata"),
    ({"redirect_uris": [HOME], "response_types": ["token"]}, "invalid_client_metadata"),
    ({"redirect_uris": [HOME], "client_name": "x" * 101}, "invalid_client_metadata"),
    ({"redirect_uris": [HOME], "client_name": "a\u202eb"}, "invalid_client_metadata"),
    ({"redirect_uris": [HOME], "client_name": "a\x00b"}, "invalid_client_metadata"),
    ([], "invalid_client_metadata"),
]


async def test_what_cannot_be_a_client_is_not_registered(house):
    """Otherwise: people are sent to addresses that are nobody's, by names that are no names."""
    for metadata, error in NO_CLIENTS:
        answer = await house.client.post("/oauth/register/", json=metadata)
        assert (answer.status_code, answer.json()["error"]) == (400, error), metadata
    assert await sync_to_async(Client.objects.count)() == 0


async def test_a_client_that_registers_is_public_whatever_it_asks(house):
    """Otherwise: programs on people's machines are given secrets that cannot be kept."""
    asked = {"redirect_uris": [HOME], "token_endpoint_auth_method": "client_secret_post"}
    answer = await house.client.post("/oauth/register/", json={**asked, "scope": "openid"})
    told = answer.json()
    assert (told["token_endpoint_auth_method"], "client_secret" in told) == ("none", False)
    assert told["scope"] == "tool.invoke resource.read prompt.get"
    narrow = {**asked, "scope": "resource.read email"}
    assert (await house.client.post("/oauth/register/", json=narrow)).json()[
        "scope"
    ] == "resource.read"


async def test_a_client_changes_its_own_registration_only(house):
    """Otherwise: somebody leads a client's people to another address."""
    answer = (await house.client.post("/oauth/register/", json={"redirect_uris": [HOME]})).json()
    path = f"/oauth/register/{answer['client_id']}/"
    good = {"authorization": f"Bearer {answer['registration_access_token']}"}
    for bad in ({}, {"authorization": "Bearer x"}, {"authorization": f"Basic {good}"}):
        assert (await house.client.get(path, headers=bad)).status_code == 401
    assert (await house.client.get("/oauth/register/a%00b/", headers=good)).status_code == 401
    assert (await house.client.get(path, headers=good)).json()["redirect_uris"] == [HOME]
    changed = {"redirect_uris": ["https://there.example/"], "client_name": "New"}
    answer = await house.client.put(path, headers=good, json=changed)
    assert (answer.status_code, answer.json()["client_name"]) == (200, "New")
    assert (await house.client.delete(path, headers=good)).status_code == 204
    assert (await house.client.get(path, headers=good)).status_code == 401
    types = await sync_to_async(lambda: set(AuditEvent.objects.values_list("event_type")))()
    assert {("client_registered",), ("client_changed",), ("client_removed",)} <= types


async def test_a_client_that_people_use_is_not_taken_back(house):
    """Otherwise: what people granted disappears without their doing."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        await bob.tokens(program)
    row = await sync_to_async(Client.objects.get)(client_id=program.client_id)
    with pytest.raises(registration.Refused):
        await sync_to_async(registration.remove)(house.world.company.actor, row)


async def test_registrations_are_bounded_in_rate_and_number(house, monkeypatch):
    """Otherwise: anybody fills the database with clients that nobody uses."""
    monkeypatch.setattr(registration, "WAITING", 2)
    codes = []
    for _ in range(21):
        answer = await house.client.post("/oauth/register/", json={"redirect_uris": [HOME]})
        codes.append(answer.status_code)
    assert codes == [201] * 2 + [503] * 18 + [429]
    assert int(answer.headers["retry-after"]) >= 1
    long_ago = timezone.now() - 2 * forgetting.UNUSED
    await sync_to_async(Client.objects.update)(created=long_ago)
    assert await sync_to_async(forgetting.forget_unused)() == 2
    assert await sync_to_async(Client.objects.count)() == 0


async def machine_of(house, **facts):
    """A program's login, made over the REST API."""
    alice = await sync_to_async(rest)(house.world.company.owner)
    company = house.world.company
    path = f"/api/v1/orgs/{company.organization.id}/agents/{house.agent.id}/clients/"
    body = {"name": "Nightly", **facts}
    answer = await sync_to_async(alice.post)(path, body, format="json")
    assert answer.status_code == 201, answer.content
    return alice, path, answer.json()


async def token_of(house, made, secret=None, **more):
    """What a program gets for its secret."""
    basic = (made["client_id"], secret or made["client_secret"])
    fields = {"grant_type": "client_credentials", **more}
    return await house.client.post("/oauth/token/", data=fields, auth=basic)


async def test_a_machine_gets_tokens_for_its_own_agent(house):
    """Otherwise: a program without a person cannot come in, or comes in as somebody else."""
    _, _, made = await machine_of(house)
    program = await program_of(house)
    tokens = (await token_of(house, made, resource=house.mcp)).json()
    assert "refresh_token" not in tokens
    assert (tokens["scope"], tokens["token_type"]) == ("tool.invoke", "Bearer")
    assert (await program.list_tools(tokens["access_token"])).status_code == 200
    fields = {name: made[name] for name in ("client_id", "client_secret")}
    fields["grant_type"] = "client_credentials"
    assert (await house.client.post("/oauth/token/", data=fields)).status_code == 200
    wrong = await token_of(house, made, "wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    other = house.mcp.replace(str(house.world.company.prod.id), str(house.world.company.dev.id))
    assert (await token_of(house, made, resource=other)).json()["error"] == "invalid_target"
    assert (await token_of(house, made, scope="prompt.get")).json()["error"] == "invalid_scope"
    stored = await sync_to_async(lambda: str(list(Client.objects.values())))()
    assert made["client_secret"] not in stored
    public = {"client_id": program.client_id, "client_secret": ""}
    assert (await token_of(house, public, " ")).status_code == 401


async def test_a_machine_that_is_deleted_is_refused_at_the_next_call(house):
    """Otherwise: a secret that got lost stays good."""
    alice, path, made = await machine_of(house)
    program = await program_of(house)
    token = (await token_of(house, made)).json()["access_token"]
    fields = {"token": token}
    basic = (made["client_id"], made["client_secret"])
    other = (await token_of(house, made)).json()["access_token"]
    assert (await house.client.post("/oauth/revoke/", data=fields, auth=basic)).status_code == 200
    assert (await program.list_tools(token)).status_code == 401
    assert (await program.list_tools(other)).status_code == 200
    gone = await sync_to_async(alice.delete)(f"{path}{made['id']}/")
    assert gone.status_code == 204
    assert (await program.list_tools(other)).status_code == 401
    assert (await token_of(house, made)).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_an_agent_has_so_many_clients_and_scopes_of_its_account(company, monkeypatch):
    """Otherwise: a login is wider than the account behind it."""
    from agentxsuite.control.agents.services import change_service_account  # noqa: PLC0415  -- short

    agent = company.agent()
    alice = rest(company.owner)
    path = f"/api/v1/orgs/{company.organization.id}/agents/{agent.id}/clients/"
    change_service_account(company.actor, agent.service_account, scope_allowlist=["prompt.*"])
    answer = alice.post(path, {"name": "One", "scopes": ["tool.invoke"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_allowed")
    monkeypatch.setattr("agentxsuite.control.oauth.machines.MOST", 1)
    for status in (201, 409):
        answer = alice.post(path, {"name": "One", "scopes": ["prompt.get"]}, format="json")
        assert answer.status_code == status
    assert alice.post(path, {"name": "x", "scopes": ["*"]}, format="json").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_list_of_clients_costs_the_same_for_many(company, monkeypatch):
    """Otherwise: lists slow down with every login."""
    monkeypatch.setattr("agentxsuite.control.oauth.machines.MOST", 100)
    agent, alice = company.agent(), rest(company.owner)
    probe = Client.objects.create(client_id="probe", name="Probe")
    here = f"/api/v1/orgs/{company.organization.id}"
    counts = []
    for number in (1, 49):
        for _ in range(number):
            create_machine(company.actor, agent, "One", ["tool.invoke"])
            give(company.actor, probe, agent, ["tool.invoke"])
        for path in (
            f"{here}/agents/{agent.id}/clients/",
            f"{here}/grants/",
            "/api/v1/auth/me/grants/",
        ):
            with CaptureQueriesContext(connection) as asked:
                assert alice.get(path).json()["count"] in {1, 50}
            counts.append(len(asked))
    assert counts[:3] == counts[3:]


async def test_grants_are_seen_by_their_person_and_by_administrators(house):
    """Otherwise: nobody can look after a colleague who left, or everybody looks into everybody."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program)
    grant = await sync_to_async(Grant.objects.get)()
    here = f"/api/v1/orgs/{house.world.company.organization.id}/grants/"

    def statuses(user, *paths):
        browser = rest(user)
        return [browser.get(path).status_code for path in paths]

    mine = f"/api/v1/auth/me/grants/{grant.id}/"
    company = house.world.company
    theirs = f"{here}{grant.id}/"
    ask = sync_to_async(statuses)
    assert await ask(house.person("bob"), mine, here, theirs) == [200, 403, 403]
    assert await ask(company.owner, mine, here, theirs) == [404, 200, 200]
    alice = await sync_to_async(rest)(company.owner)
    assert (await sync_to_async(alice.delete)(mine)).status_code == 404
    assert (await sync_to_async(alice.delete)(theirs)).status_code == 204
    assert (await program.list_tools(tokens["access_token"])).status_code == 401
    event = await sync_to_async(AuditEvent.objects.get)(event_type="grant_ended")
    assert event.subject == f"user:{company.owner.id}"
    assert await ask(company.owner, here, theirs) == [200, 404]


async def test_what_has_expired_goes(house):
    """Otherwise: every token that ever was slows the next one down."""
    program = await program_of(house)
    async with Visitor(house) as bob:
        tokens = await bob.tokens(program)
        tokens = (await program.refresh(tokens["refresh_token"])).json()
        long_ago = timezone.now() - 4 * forgetting.LATER

        def age():
            Code.objects.update(expires=long_ago)
            forgetting.forget(house.world.company.organization.id)
            return Code.objects.count(), AccessToken.objects.count(), Grant.objects.count()

        assert await sync_to_async(age)() == (0, 1, 1)
        await sync_to_async(Grant.objects.update)(used_at=timezone.now() - 3 * forgetting.IDLE)
        assert await sync_to_async(age)() == (0, 0, 0)
    assert (await program.refresh(tokens["refresh_token"])).status_code == 400
