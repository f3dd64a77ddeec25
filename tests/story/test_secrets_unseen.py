"""No log, row, event or answer has a secret: not of a server that echoes it, nor of a defect."""

import logging
import re
import secrets as randomness
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
import yaml
from asgiref.sync import sync_to_async
from django.db import connection as database
from django.urls import include, path
from knox.models import AuthToken

from agentxsuite.control.agents.services import create_agent
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.lent import Loan, keep
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.catalog.services import create_connection, sync_connection
from agentxsuite.control.catalog.upstreams import open_upstreams
from agentxsuite.control.secretstore import services as store
from agentxsuite.engines.upstream import Lent
from agentxsuite.masking import MASK
from tests.servers.mcp_raw import RawServer
from tests.servers.mcp_recorder import Recorder
from tests.story.conftest import serving

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SEALED = {"ciphertext", "sealed", "wrapped"}  # columns
FIELDS = ("value", "password", "new_password", "secret", "token", "client_secret")
HOME = re.compile(r"/api/v1/(orgs/\{\w+\}/)?[\w/-]+")  # routes that need no other id
MANIFEST = Path(__file__).parents[1] / "manifest"
CONFIG = {
    "bearer": {},
    "basic": {"username": "we"},
    "header": {"header": "X-Key"},
    "oauth2": {"client_id": "we", "token_url": "{here}/token"},
}
OWN = {
    "client_id": "public",
    "grant": "authorization_code",
    "token_url": "{here}/token",
    "authorize_url": "{here}/authorize",
}
known: list[str] = []


def raising(request):
    """A defect of ours that has everything in its message that was used."""
    raise ValueError(f"{known[:-1]} {dict(request.headers)}")


urlpatterns = [path("raising/", raising), path("", include("agentxsuite.project.urls"))]


class Echo(Recorder):
    """Refuses each call with what it was shown, in every spelling."""

    def answer(self, asked):
        if asked.message.get("method") == "tools/call":
            shown = [asked.headers.get("authorization", ""), asked.headers.get("x-key", "")]
            said = " ".join(form for each in shown for form in forms(each.split(" ")[-1]))
            asked.error(-32000, said, data={"headers": asked.headers, "said": said})
            return None
        if asked.path == "/token":
            asked.reply(b'{"access_token": "%s", "token_type": "bearer"}' % known[0].encode())
            return None
        return super().answer(asked)


def forms(value):
    """The ways to write a secret, made without the code under test."""
    data = value.encode()
    coded = [b64encode(data).decode(), urlsafe_b64encode(data).decode(), data.hex()]
    return [value, quote(value, safe=""), *coded, *(each.rstrip("=") for each in coded)]


def canary():
    known.append(f"canary/{randomness.token_urlsafe(24)}+e")
    return known[-1]


@pytest.fixture(autouse=True)
def own_canaries():
    known.clear()
    yield
    known.clear()


@sync_to_async
def kept(world):
    company = world.company
    value = canary()
    place = company.actor, company.organization, company.prod
    return store.store(*place, value)


async def connected(world, server):
    """A connection of each kind, whose tools are known and open to the agent."""
    company, here = world.company, server.url.removesuffix("/mcp")
    lent = canary()
    async with open_upstreams() as upstreams:
        for slug, config in CONFIG.items():
            facts = {
                "auth_method": slug,
                "auth_config": {name: word.format(here=here) for name, word in config.items()},
                "secret_ref": (await kept(world)).ref,
            }
            made = await sync_to_async(create_connection)(
                company.actor, company.prod, slug, f"{here}/modern/{slug}", **facts
            )
            await sync_connection(company.actor, made, upstreams)
        config = {name: word.format(here=here) for name, word in OWN.items()}
        own = await sync_to_async(create_connection)(
            company.actor,
            company.prod,
            "own",
            f"{here}/modern/own",
            auth_method="oauth2",
            auth_config=config,
        )
        await sync_to_async(lend)(own, company.owner)
        await sync_connection(Actor.person(company.owner), own, upstreams)
    await sync_to_async(world.allow)()
    return lent


def lend(connection, user):
    """An account of a person's own."""
    account = Account(
        organization=connection.organization,
        environment=connection.environment,
        connection=connection,
        user=user,
    )
    keep(account, Loan(Lent(canary(), 2.0**40, canary()), ""))
    account.save()


async def callers(world):
    """What an agent and a person show: a token, a static secret, a login."""
    company, static = world.company, randomness.token_urlsafe(32)
    ref = await sync_to_async(store.store)(
        company.actor, company.organization, company.prod, static
    )
    agent = await sync_to_async(create_agent)(
        company.actor, company.prod, "Fixed", inbound_secret_ref=ref.ref
    )
    login = (await sync_to_async(AuthToken.objects.create)(company.owner))[1]
    known.extend((world.token, static, login))
    return {world.token: world.agent, static: agent, login: world.agent}


async def calls(client, world, callers):
    """Call every connection as everybody, at both doors."""
    for token, agent in callers.items():
        shown = {"authorization": f"Bearer {token}"}
        for slug in (*CONFIG, "own"):
            body = {"tool": f"{slug}/say", "input": {}, "agent": str(agent.id)}
            yield await client.post(world.execute, json=body, headers=shown)
            asked = {"name": f"{slug}__say", "arguments": {}}
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
            yield await client.post(world.mcp, json=message, headers=shown)


async def routes(client, world, callers):
    """Ask every route that needs no other id, with a secret in every field that is one."""
    shown = {"authorization": f"Bearer {[*callers][-1]}"}
    body = dict.fromkeys(FIELDS, canary())
    stored = f"/api/v1/orgs/{world.company.organization.id}/connections/store-secret/"
    made = await client.post(stored, json={"value": known[-1]}, headers=shown)
    assert made.status_code == 201, made.text
    for file in ("seed.yaml", "beyond.yaml"):
        rows = yaml.load((MANIFEST / file).read_text(), yaml.CSafeLoader)
        for methods, _, route in (row.partition(" ") for row in rows):
            if not HOME.fullmatch(route) or "logout" in route:
                continue
            url = re.sub(r"\{\w+\}", str(world.company.organization.id), route)
            for method in methods.split("/"):
                body_of = {} if method == "GET" else {"json": body}
                yield await client.request(method, url, headers=shown, **body_of)


async def defect(client, world, callers):
    """Ask for what fails."""
    canary()
    yield await client.get("/raising/", headers={"authorization": f"Bearer {[*callers][-1]}"})


def rows():
    """All that stands in the database, but for the sealed columns."""
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield table, str([v for n, v in zip(names, row, strict=True) if n not in SEALED])


def found(text):
    return {form for value in known for form in forms(value) if form in text}


async def play(world, settings, caplog, *parts):
    """Do everything once; the answers."""
    settings.ROOT_URLCONF = __name__
    caplog.set_level(logging.DEBUG)
    answers = []
    async with RawServer(Echo().answer) as server, serving() as client:
        await connected(world, server)
        shown = await callers(world)
        async with httpx2.AsyncClient(base_url=client.base_url, timeout=30) as plain:
            for part in parts:
                answers += [each async for each in part(plain, world, shown)]
    return answers


async def test_no_secret_is_told_anywhere(world, settings, caplog):
    """Otherwise: whoever reads a log, a run, the audit or an answer can be somebody else."""
    played = await play(world, settings, caplog, calls, routes, defect)
    told = [f"{each.request.url} {each.headers} {each.text}" for each in played]
    assert len(known) > 10
    assert not [line for line in told if found(line)]
    assert not [line for line in caplog.text.splitlines() if found(line)]
    assert not [row for row in await sync_to_async(lambda: list(rows()))() if found(row[1])]
    assert len([line for line in told if MASK in line and "refused the call" in line]) > 5
    assert played[-1].status_code == 500
    assert f"ValueError: ['{MASK}" in caplog.text


async def test_without_masking_the_log_would_tell_them_all(world, settings, caplog, monkeypatch):
    """Otherwise: the search above finds nothing because it looks in the wrong place."""
    monkeypatch.setattr(logging, "_logRecordFactory", logging.LogRecord)
    await play(world, settings, caplog, defect)
    assert {value for value in known[:-1] if value in caplog.text} == set(known[:-1])
