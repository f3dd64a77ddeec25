"""Agents that can only send one fixed header: found without being decrypted, changed at once."""

import secrets as randomness

import pytest
from asgiref.sync import sync_to_async

from agentxsuite.control.agents.services import change_agent, create_agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.problems import Invalid
from agentxsuite.control.secretstore import crypto
from agentxsuite.control.secretstore import services as store
from agentxsuite.control.secretstore.models import Secret, SecretVersion
from agentxsuite.gateway.refusal_meter import WRITTEN
from tests.cast import client as person

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
ECHO = {"tool": "tests/echo", "input": {"text": "hello"}}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
def value():
    return randomness.token_urlsafe(32)


@pytest.fixture
def stored(world, value) -> Secret:
    company = world.company
    return store.store(company.actor, company.organization, company.prod, value)


@pytest.fixture
def clerk(world, stored):
    """An agent that logs in with the stored secret alone."""
    world.allow()
    company = world.company
    return create_agent(company.actor, company.prod, "Fixed", inbound_secret_ref=stored.ref)


@pytest.fixture
async def call(clerk, client, world):
    """Call a tool with a secret; answers the status and the code."""

    async def call(secret, **body):
        headers = {"authorization": f"Bearer {secret}"}
        answer = await client.post(world.execute, json=ECHO | body, headers=headers)
        return answer.status_code, answer.json().get("code")

    return call


async def test_a_secret_opens_all_three_doors(call, client, value, world, clerk):
    """Otherwise: clients that cannot fetch tokens stay outside."""
    assert await call(value) == (201, None)
    assert await call(value, environment="prod", agent=str(clerk.id)) == (201, None)
    assert await call(value, agent=world.agent.slug) == (403, "agent_mismatch")
    headers = {"authorization": f"Bearer {value}"}
    for address in (world.mcp, f"{world.mcp}tests/"):
        shown = await client.post(address, json=LIST, headers=headers)
        assert shown.json()["result"]["tools"]
    event = await AuditEvent.objects.filter(event_type="run_finished").afirst()
    assert (event.context["auth_method"], event.subject) == ("static_secret", f"agent:{clerk.id}")


async def test_a_secret_is_good_in_its_own_environment_only(call, client, value, world):
    """Otherwise: one environment's secret opens all of them."""
    assert await call(value, environment="dev") == (401, "token_unknown")
    company = world.company
    elsewhere = f"/mcp/{company.organization.id}/{company.dev.id}/"
    headers = {"authorization": f"Bearer {value}"}
    assert (await client.post(elsewhere, json=LIST, headers=headers)).status_code == 401


async def test_nothing_is_decrypted_to_find_out_who_calls(call, value, monkeypatch):
    """Otherwise: every guess costs a decryption, and the keys are always at hand."""
    assert await call(value) == (201, None)

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(crypto, "unseal", refuse)
    assert await call(value) == (201, None)
    assert await call(value[::-1]) == (401, "token_unknown")
    kept = await SecretVersion.objects.aget(fingerprint__isnull=False)
    assert value not in kept.fingerprint


async def test_a_rotated_secret_counts_at_once(call, value, stored, world):
    """Otherwise: a leaked secret goes on opening the door."""
    assert await call(value) == (201, None)
    fresh = randomness.token_hex(32)
    await sync_to_async(store.rotate)(world.company.actor, stored, fresh)
    assert await call(value) == (401, "token_unknown")
    assert await call(fresh) == (201, None)


async def test_a_secret_that_is_taken_away_counts_at_once(call, value, stored, clerk, world):
    """Otherwise: what an admin has erased still opens the door."""
    actor = world.company.actor
    assert await call(value) == (201, None)
    await sync_to_async(change_agent)(actor, clerk, enabled=False)
    assert await call(value) == (403, "agent_disabled")
    await sync_to_async(change_agent)(actor, clerk, enabled=True)
    none = {"inbound_auth_method": "none", "inbound_secret_ref": None}
    await sync_to_async(change_agent)(actor, clerk, **none)
    await sync_to_async(store.delete)(actor, stored)
    assert await call(value) == (401, "token_unknown")


async def test_one_that_two_environments_know_says_where(call, client, value, world, stored):
    """Otherwise: a call lands in the wrong environment."""
    company = world.company

    @sync_to_async
    def share():
        shared = store.store(company.actor, company.organization, None, value + "shared")
        for place in (company.prod, company.dev):
            create_agent(company.actor, place, "Shared", inbound_secret_ref=shared.ref)

    await share()
    assert await call(value + "shared") == (400, "environment_missing")
    assert await call(value + "shared", environment=str(company.prod.id)) == (201, None)
    assert await call(value + "shared", environment="nowhere") == (401, "token_unknown")


async def test_two_agents_never_have_the_same(call, value, world, clerk, stored):
    """Otherwise: nobody can say which of them it was."""
    company = world.company

    @sync_to_async
    def another(ref):
        with pytest.raises(Invalid) as refused:
            create_agent(company.actor, company.prod, "Twin", inbound_secret_ref=ref)
        assert refused.value.errors[0]["path"] == "/inbound_secret_ref"

    again = await sync_to_async(store.store)(company.actor, company.organization, None, value)
    await another(stored.ref)
    await another(again.ref)
    # Where it comes to pass all the same, neither gets in.
    other = randomness.token_urlsafe(32)
    kept = await sync_to_async(store.store)(company.actor, company.organization, None, other)
    facts = {"inbound_secret_ref": kept.ref}
    await sync_to_async(create_agent)(company.actor, company.prod, "Other", **facts)
    assert await call(other) == (201, None)
    await sync_to_async(store.rotate)(company.actor, kept, value)
    assert await call(value) == (401, "token_unknown")


async def test_equal_values_of_two_tenants_have_nothing_in_common(call, value, world, rival):
    """Otherwise: the database tells that two companies use the same secret."""

    @sync_to_async
    def theirs():
        kept = store.store(rival.actor, rival.organization, None, value)
        create_agent(rival.actor, rival.prod, "Fixed", inbound_secret_ref=kept.ref)

    await theirs()
    prints = [each async for each in SecretVersion.objects.values_list("fingerprint", flat=True)]
    assert len(set(prints)) == len(prints) == 2
    assert await call(value) == (201, None)


async def test_guessing_is_slow_and_on_record(call, value):
    """Otherwise: secrets are tried until one fits, and nobody sees it."""
    answers = []
    while len(answers) < 5 * WRITTEN.burst:  # the bucket refills meanwhile, but slowly
        answers.append(await call(f"guess-{len(answers)}"))
        if answers[-1][0] == 429 and await call(value) == answers[-1]:
            break  # nor is the right one looked at now
    else:
        pytest.fail("an address may guess as often as it likes")
    assert set(answers) == {(401, "token_unknown"), (429, "too_many_refusals")}
    events = AuditEvent.objects.filter(event_type="call_unauthenticated")
    assert await events.acount() >= WRITTEN.burst - 1
    assert (await events.afirst()).event_data["code"] == "token_unknown"


WEAK = {
    "short": "x7Kp2",
    "long": "x7Kp2mQ9" * 100,
    "repeated": "x7Kp2mQ9rT" * 4,
    "one letter": "a" * 40,
    "few letters": "abcabcabd" * 5,
    "spaces": "correct horse battery staple correct 42",
    "like a token": f"{'a1b2c3d4' * 3}.{'e5f6g7h8' * 3}.{'i9j0k1l2' * 3}",
    "beyond ASCII": "pässwörd-0123456789-abcdefghijklmnop",
}


def test_a_weak_secret_is_refused_where_it_would_open_a_door(company, master_keys, value):
    """Otherwise: a password that somebody thought up opens every tool."""
    alice, home = person(company.owner), f"/api/v1/orgs/{company.organization.id}/"
    body = {"environment": str(company.prod.id), "name": "Weak"}
    strong = store.store(company.actor, company.organization, company.prod, value)
    for weak in WEAK.values():
        kept = store.store(company.actor, company.organization, company.prod, weak)
        refused = {**body, "inbound_secret_ref": kept.ref}
        answer = alice.post(f"{home}agents/", refused, format="json")
        assert answer.status_code == 400
        assert [each["path"] for each in answer.json()["errors"]] == ["/inbound_secret_ref"]
        assert weak not in answer.content.decode()
    good = {**body, "inbound_secret_ref": strong.ref}
    assert alice.post(f"{home}agents/", good, format="json").status_code == 201
    for weak in WEAK.values():
        answer = alice.post(f"{home}secrets/{strong.ref}/versions/", {"value": weak}, format="json")
        assert answer.status_code == 400
        assert [each["path"] for each in answer.json()["errors"]] == ["/value"]


def test_one_that_nobody_logs_in_with_any_more_may_be_anything(world, clerk, stored):
    """Otherwise: a secret that was once used to log in can never serve another end."""
    company = world.company
    change_agent(company.actor, clerk, inbound_auth_method="none", inbound_secret_ref=None)
    store.rotate(company.actor, stored, "short")
    assert stored.versions.get(number=2).fingerprint is None


def test_without_its_keys_no_secret_becomes_a_login(world, stored, settings, tmp_path):
    """Otherwise: an agent is made that can never log in."""
    company = world.company
    settings.SECRET_KEYS = tmp_path / "gone.json"
    with pytest.raises(store.SecretsUnavailable):
        create_agent(company.actor, company.prod, "Late", inbound_secret_ref=stored.ref)
