"""Agents that log in at an issuer of their own: real tokens of a real issuer, at every door."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode

import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives import serialization
from jwt import PyJWK

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import (
    change_agent,
    change_service_account,
    create_agent,
    create_service_account,
    delete_service_account,
)
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from agentxsuite.engines.tokens import keysets
from tests.servers import oidc
from tests.story.conftest import serving

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "tests__echo", "arguments": {"text": "hello"}},
}
AUDIENCE = "agentxsuite"


@pytest.fixture
def issuer():
    with oidc.running() as running:
        yield running


@pytest.fixture
def trusted(issuer, settings, tmp_path):
    """Write what the operator trusts; without words the running issuer."""

    def trusted(**words):
        table = {"issuer": issuer.url, "algorithms": ["RS256", "ES256"]} | words
        lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        path = tmp_path / "issuers.toml"
        path.write_text("\n".join(["[corporate]", *lines]))
        settings.TRUSTED_ISSUERS = str(path)

    trusted()
    return trusted


@pytest.fixture
def robot(world, issuer, trusted) -> Agent:
    """An agent that the issuer knows as `robot`, and which may call everything."""
    company = world.company
    world.allow()
    account = create_service_account(
        company.actor,
        company.organization,
        "Robot",
        issuer=issuer.url,
        subject="robot",
        audience=AUDIENCE,
    )
    return create_agent(company.actor, company.prod, "Robot", service_account=account)


@pytest.fixture
async def call(robot, world):
    """Call a tool with a token of the issuer; answers the status and the code."""
    async with serving() as client:

        async def call(token, **body):
            headers = {"authorization": f"Bearer {token}"}
            answer = await client.post(world.execute, json=ECHO | body, headers=headers)
            return answer.status_code, answer.json().get("code")

        call.client = client
        yield call


def honest(issuer, **facts):
    return issuer.token(**{"sub": "robot", "aud": AUDIENCE} | facts)


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_a_token_of_a_trusted_issuer_opens_all_three_doors(call, issuer, world, robot, alg):
    """Otherwise: a company has to copy secrets although it has an identity provider."""
    token = honest(issuer, alg=alg)
    assert await call(token) == (201, None)
    assert await call(token, environment=str(world.company.prod.id)) == (201, None)
    assert await call(token, environment="prod", agent=robot.slug) == (201, None)
    headers = {"authorization": f"Bearer {token}"}
    told = (await call.client.post(world.mcp, json=CALL, headers=headers)).json()
    assert not told["result"].get("isError"), told
    shown = await call.client.post(f"{world.mcp}tests/", json=LIST, headers=headers)
    assert "echo" in {tool["name"] for tool in shown.json()["result"]["tools"]}
    assert await sync_to_async(Run.objects.filter(agent_id=robot.id).count)() == 4
    event = await AuditEvent.objects.filter(event_type="run_finished").afirst()
    assert event.context["auth_method"] == "oidc"
    assert event.subject == f"agent:{robot.id}"


async def test_an_audience_may_be_one_of_several(call, issuer):
    """Otherwise: tokens of issuers that always list their audiences are useless."""
    assert await call(honest(issuer, aud=["other", AUDIENCE])) == (201, None)
    assert await call(honest(issuer, nbf=None)) == (201, None)


async def test_the_agent_runs_as_itself_in_its_environment_only(call, issuer, world):
    """Otherwise: one agent's token is every agent's."""
    token = honest(issuer)
    assert await call(token, agent=world.agent.slug) == (403, "agent_mismatch")
    assert await call(token, environment="dev") == (401, "token_unknown_subject")
    headers = {"authorization": f"Bearer {token}"}
    company = world.company
    elsewhere = f"/mcp/{company.organization.id}/{company.dev.id}/"
    answer = await call.client.post(elsewhere, json=LIST, headers=headers)
    assert answer.json()["code"] == "token_unknown_subject"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_what_happens_to_the_login_counts_at_once(call, issuer, robot, world):
    """Otherwise: who was locked out goes on until a token expires somewhere else."""
    actor, account = world.company.actor, robot.service_account
    token = honest(issuer)
    assert await call(token) == (201, None)
    await sync_to_async(change_service_account)(actor, account, enabled=False)
    assert await call(token) == (403, "agent_disabled")
    await sync_to_async(change_service_account)(actor, account, enabled=True)
    await sync_to_async(change_agent)(actor, robot, enabled=False)
    assert await call(token) == (403, "agent_disabled")
    await sync_to_async(change_agent)(actor, robot, enabled=True)
    await sync_to_async(change_service_account)(actor, account, audience="another")
    assert await call(token) == (401, "token_wrong_audience")
    await sync_to_async(change_service_account)(actor, account, audience=AUDIENCE)
    await sync_to_async(change_agent)(actor, robot, inbound_auth_method="none")
    assert await call(token) == (401, "token_unknown_subject")
    await sync_to_async(change_agent)(actor, robot, inbound_auth_method="bearer")
    assert await call(token) == (201, None)
    await sync_to_async(delete_service_account)(actor, account)
    assert await call(token) == (401, "token_unknown_subject")


async def test_a_token_is_never_wider_than_its_account(call, issuer, robot, world):
    """Otherwise: whoever signs tokens decides what they may do here."""
    account = robot.service_account
    await sync_to_async(change_service_account)(
        world.company.actor, account, scope_allowlist=["resource.read"]
    )
    token = honest(issuer, scope="tool.invoke")
    assert await call(token) == (403, "insufficient_scope")


async def test_keys_are_rotated_without_anybody_noticing(call, issuer, monkeypatch):
    """Otherwise: every rotation at the issuer locks all agents out, or lets old keys live on."""
    first = honest(issuer)
    assert await call(first) == (201, None)
    monkeypatch.setattr(keysets, "PAUSE", 0.0)
    issuer.rotate()
    second = honest(issuer, alg="ES256")
    assert await call(second) == (201, None)
    assert await call(first) == (201, None)
    issuer.drop()
    monkeypatch.setattr(keysets, "FRESH", 0.0)
    monkeypatch.setattr(keysets, "RENEW", 0.0)
    assert await call(first) == (401, "token_unknown_key")
    assert await call(second) == (201, None)


async def test_made_up_key_names_drive_no_fetches(call, issuer):
    """Otherwise: anybody lets this server flood the issuer."""
    assert await call(honest(issuer)) == (201, None)
    for number in range(20):
        forged = honest(issuer, header={"kid": f"made-up-{number}"})
        assert await call(forged) == (401, "token_unknown_key")
    assert issuer.fetches() <= 2


async def test_an_issuer_that_is_down_closes_the_door_in_time(call, issuer, monkeypatch):
    """Otherwise: an outage at the issuer stops all work at once, or opens the door for ever."""
    token, later = honest(issuer), honest(issuer)
    assert await call(token) == (201, None)
    issuer.publish("broken", 500)
    for name in ("PAUSE", "RENEW", "FRESH"):
        monkeypatch.setattr(keysets, name, 0.0)
    assert await call(later) == (201, None)
    monkeypatch.setattr(keysets, "BOUND", 0.0)
    assert await call(token) == (503, "issuer_unavailable")
    issuer.publish(None)
    monkeypatch.setattr(keysets, "BOUND", 3600.0)
    assert await call(token) == (201, None)


async def test_keys_come_from_their_own_address_only(call, issuer, monkeypatch):
    """Otherwise: a redirect leads this server anywhere, or a broken issuer crashes the door."""
    monkeypatch.setattr(keysets, "PAUSE", 0.0)
    for status in (301, 302, 307, 404):
        issuer.publish(json.dumps({"keys": issuer.all_keys()}), status)
        assert await call(honest(issuer)) == (503, "issuer_unavailable")
    crowd = json.dumps({"keys": [{}] * 200})
    for body in ("", "[]", "{}", '{"keys": 7}', crowd, " " * 300_000):
        issuer.publish(body)
        assert await call(honest(issuer)) == (503, "issuer_unavailable")
    issuer.publish(None)
    assert await call(honest(issuer)) == (201, None)


async def test_a_description_of_somebody_else_is_not_followed(call, issuer, monkeypatch):
    """Otherwise: who can change one document at the issuer brings keys of their own."""
    monkeypatch.setattr(keysets, "PAUSE", 0.0)
    for words in (
        {"issuer": "https://other.example"},
        {"issuer": 7},
        {"jwks_uri": 7},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"jwks_uri": "http://localhost:1/keys?x=1"},
    ):
        issuer.describe(**words)
        assert await call(honest(issuer)) == (503, "issuer_unavailable")
    issuer.describe()
    assert await call(honest(issuer)) == (201, None)


async def test_an_issuer_behind_the_wall_stays_there(robot, world, issuer, settings):
    """Otherwise: the operator's list of issuers reaches into the private network by itself."""
    settings.EGRESS_ALLOW = []
    async with serving() as client:
        headers = {"authorization": f"Bearer {honest(issuer)}"}
        answer = await client.post(world.execute, json=ECHO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert issuer.fetches() == 0


async def test_an_issuer_may_be_for_some_organizations_only(robot, world, issuer, trusted):
    """Otherwise: one customer's identity provider signs agents of all."""
    trusted(organizations=[str(world.company.dev.id)])
    async with serving() as client:
        headers = {"authorization": f"Bearer {honest(issuer)}"}
        answer = await client.post(world.execute, json=ECHO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_wrong_issuer")


async def test_keys_may_stand_at_an_address_of_their_own(robot, world, issuer, trusted):
    """Otherwise: issuers without a description cannot be trusted."""
    trusted(jwks_uri=f"{issuer.url}/jwks", algorithms=["EdDSA"])
    async with serving() as client:
        for alg, expected in (("EdDSA", 201), ("RS256", 401)):
            headers = {"authorization": f"Bearer {honest(issuer, alg=alg)}"}
            answer = await client.post(world.execute, json=ECHO, headers=headers)
            assert answer.status_code == expected


async def test_misuse_is_told_to_the_organization(call, issuer, robot, world):
    """Otherwise: nobody sees that tokens for another service are tried here."""
    assert await call(honest(issuer, aud="elsewhere")) == (401, "token_wrong_audience")
    event = await AuditEvent.objects.aget(event_type="call_unauthenticated")
    assert event.organization_id == world.company.organization.id
    assert event.subject == f"agent:{robot.id}"


NOW = int(time.time())
DAY = 24 * 60 * 60


FORGED = [
    ({"aud": "elsewhere"}, "token_wrong_audience"),
    ({"aud": []}, "token_wrong_audience"),
    ({"aud": AUDIENCE.upper()}, "token_wrong_audience"),
    ({"aud": None}, "token_missing_claim"),
    ({"aud": 7}, "token_bad_claim"),
    ({"aud": [AUDIENCE, 7]}, "token_bad_claim"),
    ({"aud": [AUDIENCE] * 200}, "token_bad_claim"),
    ({"sub": "stranger"}, "token_unknown_subject"),
    ({"sub": "Robot"}, "token_unknown_subject"),
    ({"sub": "robot\0"}, "token_bad_claim"),
    ({"sub": "x" * 256}, "token_bad_claim"),
    ({"sub": ""}, "token_bad_claim"),
    ({"sub": ["robot"]}, "token_bad_claim"),
    ({"sub": None}, "token_missing_claim"),
    ({"exp": None}, "token_missing_claim"),
    ({"iat": None}, "token_missing_claim"),
    ({"exp": NOW - 60}, "token_expired"),
    ({"exp": str(NOW + 60)}, "token_bad_claim"),
    ({"exp": True}, "token_bad_claim"),
    ({"exp": 10**400}, "token_malformed"),
    ({"exp": NOW + 3 * DAY}, "token_lifetime_too_long"),
    ({"nbf": NOW + DAY / 2}, "token_not_yet_valid"),
    ({"iat": NOW + DAY / 2, "exp": NOW + DAY}, "token_not_yet_valid"),
    ({"header": {"kid": "unknown"}}, "token_unknown_key"),
    ({"header": {"kid": "../../etc/passwd"}}, "token_unknown_key"),
    ({"header": {"kid": ""}}, "token_unknown_key"),
    ({"header": {"kid": 7}}, "token_malformed"),
    ({"header": {"typ": "logout+jwt"}}, "token_malformed"),
    ({"header": {"jku": "https://evil.example/keys"}}, "token_malformed"),
    ({"header": {"x5u": "https://evil.example/cert"}}, "token_malformed"),
    ({"header": {"jwk": {"kty": "oct", "k": "AA"}}}, "token_malformed"),
    ({"header": {"crit": ["exp"]}}, "token_malformed"),
    ({"header": {"alg": "none"}}, "token_wrong_algorithm"),
    ({"header": {"alg": "HS256"}}, "token_wrong_algorithm"),
    ({"header": {"alg": "RS512"}}, "token_wrong_algorithm"),
    ({"header": {"alg": "ES256"}}, "token_wrong_algorithm"),
    ({"alg": "EdDSA"}, "token_wrong_algorithm"),
    ({"filler": "x" * 9000}, "token_too_large"),
]


async def test_a_signed_token_that_is_not_for_here_is_refused(call, issuer):
    """Otherwise: what an issuer signed for another end opens this door."""
    answers = [await call(honest(issuer, **facts)) for facts, _ in FORGED]
    assert answers == [(401, code) for _, code in FORGED]
    assert await call(honest(issuer)) == (201, None)


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_the_public_key_is_no_shared_secret(call, issuer):
    """Otherwise: whoever reads the issuer's keys signs its tokens."""
    assert await call(honest(issuer)) == (201, None)
    for jwk in issuer.all_keys():
        public = PyJWK(jwk).key
        pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for algorithm in ("HS256", jwk["alg"]):
            header = segment({"alg": algorithm, "kid": jwk["kid"], "typ": "JWT"})
            body = f"{header}.{honest(issuer).split('.')[1]}"
            mac = hmac.new(pem, body.encode(), hashlib.sha256).digest()
            status, code = await call(f"{body}.{segment(mac)}")
            assert status == 401
            assert code in {"token_wrong_algorithm", "token_bad_signature"}


async def test_a_token_without_a_signature_is_refused(call, issuer):
    """Otherwise: the oldest attack works."""
    header, payload, _ = honest(issuer).split(".")
    unsigned = segment({"alg": "none", "typ": "JWT"})
    for token in (f"{unsigned}.{payload}.", f"{header}.{payload}."):
        assert (await call(token))[0] == 401
    assert await call(f"{unsigned}.{payload}.AA") == (401, "token_wrong_algorithm")


async def test_another_issuers_key_proves_nothing(call, issuer):
    """Otherwise: one issuer signs for all the others."""
    with oidc.running() as evil:
        kid = issuer.all_keys()[-1]["kid"]
        for facts in ({}, {"header": {"kid": kid}}):
            forged = honest(evil, iss=issuer.url, **facts)
            assert (await call(forged))[0] == 401
        assert (await call(honest(evil)))[0] == 401
        assert evil.fetches() == 0


async def test_a_key_name_that_two_keys_have_is_nobodys(call, issuer):
    """Otherwise: a second key under a known name is tried as well."""
    keys = issuer.all_keys()
    twin = {**keys[1], "kid": keys[0]["kid"]}
    issuer.publish(json.dumps({"keys": [*keys, twin]}))
    answers = {alg: await call(honest(issuer, alg=alg)) for alg in ("RS256", "ES256")}
    shared = keys[0]["alg"]
    assert answers == {
        alg: (401, "token_unknown_key") if alg == shared else (201, None) for alg in answers
    }
