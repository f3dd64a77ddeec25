"""One suite for both directories: facts are never older than the question."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from secrets import token_hex

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from knox.models import AuthToken

from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.agents.services import (
    create_agent,
    create_service_account,
    revoke_token,
)
from agentxsuite.control.catalog.models import Connection, Tool, ToolDefinition
from agentxsuite.control.policies.models import Policy, PolicyRule
from agentxsuite.control.secretstore.services import rotate, store
from agentxsuite.control.tenancy.models import OrganizationMembership
from agentxsuite.control.tenancy.services import delete_environment
from agentxsuite.gateway.asgi import open_directory
from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Question
from agentxsuite.gateway.orm import FreshDirectory, PostgresReader, SqliteReader
from agentxsuite.gateway.refusals import Unavailable

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def directory(transactional_db):
    async with aclosing(open_directory()) as opened:
        yield opened


def about(company, **facts) -> Question:
    return Question(str(company.organization.id), environment=str(company.prod.id), **facts)


async def test_a_change_is_seen_by_the_next_question(directory, company):
    """A disabled agent would keep calling for as long as a cache lives."""
    agent = await sync_to_async(company.agent)()
    before = await directory.ask(about(company))
    assert before.snapshot.agents[str(agent.id)].enabled
    assert (await directory.ask(about(company))).snapshot is before.snapshot
    await sync_to_async(Agent.objects.filter(id=agent.id).update)(enabled=False)
    after = await directory.ask(about(company))
    assert not after.snapshot.agents[str(agent.id)].enabled
    assert after.snapshot.revision > before.snapshot.revision
    assert before.snapshot.agent("clerk").id == after.snapshot.agent(str(agent.id)).id
    assert after.snapshot.agent("nobody") is None


async def test_a_disabled_service_account_disables_its_agent(directory, company):
    """Taking the login away would leave the door open."""
    agent = await sync_to_async(company.agent)()

    @sync_to_async
    def disable():
        account = agent.service_account
        account.enabled = False
        account.save()

    await disable()
    facts = await directory.ask(about(company))
    assert not facts.snapshot.agents[str(agent.id)].enabled


async def test_members_come_and_go(directory, company):
    """A dismissed colleague could still run tools."""
    bob = company.people["bob"]
    assert (await directory.ask(about(company))).snapshot.members[str(bob.id)].role == "operator"
    await sync_to_async(OrganizationMembership.objects.filter(user=bob).update)(is_active=False)
    assert str(bob.id) not in (await directory.ask(about(company))).snapshot.members


async def test_tokens_stand_until_revoked(directory, company, token_keys):
    """A revoked token would work on."""
    agent = await sync_to_async(company.agent)()
    await sync_to_async(company.token)(agent)
    token = await sync_to_async(IssuedToken.objects.get)(agent=agent)
    assert (await directory.ask(about(company, token_id=token.jti))).token_live
    await sync_to_async(revoke_token)(company.actor, token)
    assert not (await directory.ask(about(company, token_id=token.jti))).token_live
    assert not (await directory.ask(about(company, token_id="made up"))).token_live


async def test_login_tokens_name_their_person(directory, company):
    """People could not run anything, or strangers could."""
    login, _ = await sync_to_async(AuthToken.objects.create)(company.owner)
    asked = about(company, login_digest=login.digest)
    assert (await directory.ask(asked)).user == str(company.owner.id)
    assert (await directory.ask(about(company, login_digest="none"))).user is None


async def test_a_foreign_or_missing_environment_is_nothing(directory, company, rival):
    """An id alone would open another tenant's facts."""
    foreign = Question(str(company.organization.id), environment=str(rival.prod.id))
    assert (await directory.ask(foreign)).snapshot is None
    assert (await directory.ask(Question(str(company.organization.id)))).snapshot is None


async def test_a_deleted_environment_is_gone(directory, company):
    """Agents of a deleted environment would keep calling."""
    assert (await directory.ask(about(company))).snapshot is not None

    @sync_to_async
    def delete():
        company.prod.deleted_at = timezone.now()
        company.prod.save()

    await delete()
    assert (await directory.ask(about(company))).snapshot is None
    assert await directory.environments(str(company.organization.id), "prod") == []


async def test_a_policy_that_cannot_be_read_closes_the_door(directory, company):
    """A broken rule would count as none, and allow what it should deny."""

    @sync_to_async
    def write():
        policy = Policy.objects.create(organization=company.organization, name="broken")
        PolicyRule.objects.create(
            organization=company.organization,
            policy=policy,
            action="tool invoke",
            target="tool:*",
            effect="deny",
        )

    await write()
    assert (await directory.ask(about(company))).snapshot.policies is None


async def test_tools_without_a_sound_definition_have_no_schema(directory, company):
    """A tool could be called without any check of its arguments."""
    sound = {"type": "object"}

    @sync_to_async
    def write():
        place = {"organization": company.organization, "environment": company.prod}
        server = Connection.objects.create(
            **place, name="Pay", slug="pay", endpoint="https://pay.example/mcp"
        )
        for name, schema in (("good", sound), ("bad", {"$ref": "https://evil.example"})):
            tool = Tool.objects.create(
                **place, connection=server, name=f"pay/{name}", upstream_name=name, version="1"
            )
            tool.definition = ToolDefinition.objects.create(
                organization=company.organization,
                tool=tool,
                number=1,
                sha256="0" * 64,
                definition={"name": name, "inputSchema": schema},
            )
            tool.schema_json = schema
            tool.save()
        Tool.objects.create(**place, connection=server, name="pay/new", upstream_name="new")
        return server

    server = await write()
    found = (await directory.ask(about(company))).snapshot
    schemas = {name: tool.schema is not None for name, tool in found.by_name.items()}
    assert schemas == {"pay/good": True, "pay/bad": False, "pay/new": False}
    kept = found.by_name["pay/good"].schema
    await sync_to_async(company.agent)()
    assert (await directory.ask(about(company))).snapshot.by_name["pay/good"].schema is kept
    gone = Connection.objects.filter(id=server.id)
    await sync_to_async(gone.update)(deleted_at=timezone.now())
    assert (await directory.ask(about(company))).snapshot.tools == {}


async def test_references_find_their_environments(directory, company):
    """People could not say which agent they mean by its slug."""
    prod = await sync_to_async(company.agent)()
    await sync_to_async(company.agent)("Clerk", company.dev)
    organization = str(company.organization.id)
    both = {str(company.prod.id), str(company.dev.id)}
    assert set(await directory.environments(organization, agent="CLERK")) == both
    for name in ("prod", str(company.prod.id), str(company.prod.id).upper()):
        assert await directory.environments(organization, name) == [str(company.prod.id)]
    assert await directory.environments(organization, agent=str(prod.id)) == [str(company.prod.id)]
    for nobody in ({"name": "nothing"}, {"name": "clerk"}, {"agent": "prod"}, {}):
        assert await directory.environments(organization, **nobody) == []


async def test_proofs_find_their_environments(directory, company, rival, master_keys):
    """Otherwise: an agent's call over REST has to say where, or lands somewhere else."""
    organization = str(company.organization.id)

    @sync_to_async
    def make():
        value = "k3J9" + token_hex(16)
        kept = store(company.actor, company.organization, None, value)
        facts = {"issuer": "https://id.example", "subject": "robot", "audience": "us"}
        account = create_service_account(company.actor, company.organization, "r", **facts)
        for place in (company.prod, company.dev):
            create_agent(company.actor, place, "S", inbound_secret_ref=kept.ref)
        create_agent(company.actor, company.dev, "R", service_account=account)
        rotate(company.actor, kept, value[::-1])
        return [version.fingerprint for version in kept.versions.order_by("number")]

    old, new = await make()
    both = {str(company.prod.id), str(company.dev.id)}
    assert set(await directory.homes(organization, Proof("secret", new))) == both
    assert await directory.homes(organization, Proof("secret", old)) == []
    login = Proof("oidc", "https://id.example", "robot")
    assert await directory.homes(organization, login) == [str(company.dev.id)]
    assert await directory.homes(organization, login._replace(more="Robot")) == []
    assert await directory.homes(str(rival.organization.id), login) == []
    assert await directory.homes(str(rival.organization.id), Proof("secret", new)) == []


async def test_agents_of_a_deleted_environment_are_found_no_more(directory, company, master_keys):
    """Otherwise: whoever makes an environment anew must say for ever which of the two is meant."""
    organization = str(company.organization.id)

    @sync_to_async
    def make():
        kept = store(company.actor, company.organization, None, "k3J9" + token_hex(16))
        facts = {"issuer": "https://id.example", "subject": "robot", "audience": "us"}
        account = create_service_account(company.actor, company.organization, "r", **facts)
        for place in (company.prod, company.dev):
            create_agent(company.actor, place, "S", inbound_secret_ref=kept.ref)
        create_agent(company.actor, company.dev, "R", service_account=account)
        delete_environment(company.actor, company.dev)
        return kept.versions.get().fingerprint

    secret = Proof("secret", await make())
    assert await directory.environments(organization, agent="s") == [str(company.prod.id)]
    assert await directory.homes(organization, secret) == [str(company.prod.id)]
    assert await directory.homes(organization, Proof("oidc", "https://id.example", "robot")) == []


async def test_many_questions_at_once_are_all_answered(directory, company, token_keys):
    """Under load, answers would be mixed up, or each would read everything."""
    agent = await sync_to_async(company.agent)()
    await sync_to_async(company.token)(agent)
    token = await sync_to_async(IssuedToken.objects.get)(agent=agent)
    ids = [token.jti if number % 2 else f"made up {number}" for number in range(60)]
    answers = await asyncio.gather(
        *(directory.ask(about(company, token_id=token_id)) for token_id in ids)
    )
    assert [answer.token_live for answer in answers] == [bool(n % 2) for n in range(60)]
    assert len({id(answer.snapshot) for answer in answers}) == 1


async def test_who_leaves_while_waiting_harms_nobody(directory, company):
    """One impatient caller could take the answers of all others along."""
    tasks = [asyncio.create_task(directory.ask(about(company))) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1].snapshot is answers[2].snapshot


READERS = {
    "sqlite": lambda: SqliteReader("/nowhere/at/all.sqlite3"),
    "postgres": lambda: PostgresReader("host=/nowhere dbname=none"),
}


@pytest.mark.parametrize("kind", READERS)
async def test_a_database_that_is_down_closes_the_door(kind):
    """Calls would be decided by facts that nobody can check."""
    lost = FreshDirectory(READERS[kind](), lambda *_: None, [ThreadPoolExecutor(1)])
    async with aclosing(lost):
        with pytest.raises(Unavailable) as closed:
            await lost.ask(Question("o", environment="e", login_digest="x"))
        assert closed.value.code == "directory_unavailable"
        with pytest.raises(Unavailable):
            await lost.environments("o", "e")
        with pytest.raises(Unavailable):
            await lost.homes("o", Proof("secret", "0" * 64))
        asked = [asyncio.create_task(lost.ask(Question("o", environment="e"))) for _ in range(2)]
        await asyncio.sleep(0)
        asked[0].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[1], Unavailable)
