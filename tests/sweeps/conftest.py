"""The two companies of the matrix, made once for each page of tests, and taken away after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from agentxsuite.control.secretstore.keys import MasterKeys
from agentxsuite.engines.tokens import KeyRing
from tests.openapi.checked import CheckedClient
from tests.servers import mcp_http
from tests.sweeps.doors import over, served
from tests.sweeps.estate import (
    Estate,
    add_catalogue,
    add_live_catalogue,
    add_rest,
    build_estate,
)
from tests.sweeps.stage import Answer, Send, Stage

FAST = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CALLERS = count()
# What a refusal adds to, and what the server does by itself meanwhile.
EVIDENCE = frozenset({"audit_auditevent", "runs_run", "runs_runstep", "runs_worker"})


@contextmanager
def as_operated() -> Iterator[None]:
    """Settings that a matrix needs, and the key files that only an operator makes."""
    own = {"REGISTRATION": "open", "PASSWORD_HASHERS": FAST, "EGRESS_ALLOW": ["127.0.0.0/8"]}
    for path, keys in ((settings.TOKEN_KEYS, KeyRing), (settings.SECRET_KEYS, MasterKeys)):
        if not Path(path).exists():
            keys.create(Path(path))
    with override_settings(**own):
        yield


@contextmanager
def committed(blocker) -> Iterator[None]:
    """What is stored stays for the page of tests, seen by every connection, and goes after it."""
    with blocker.unblock(), as_operated():
        try:
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False)


def founded(word: str, owner: str) -> Estate:
    """A company with one of everything."""
    made = build_estate(word, owner)
    add_catalogue(made)
    add_rest(made)
    return made


@pytest.fixture(scope="module")
def acme_and_globex(django_db_setup, django_db_blocker) -> Iterator[tuple[Estate, Estate]]:
    with committed(django_db_blocker):
        yield founded("acme", "alice"), founded("globex", "charlie")


@pytest.fixture
def stage(acme_and_globex) -> Stage:
    return Stage(*acme_and_globex, sender(CheckedClient()))


def sender(browser) -> Send:
    """Ask Django itself, from another address each time, so that nobody is throttled."""

    def send(method: str, address: str, body: bytes, token: str) -> Answer:
        extra = {"REMOTE_ADDR": f"caller {next(CALLERS)}"}
        if token:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        answer = browser.generic(method, address, body, "application/json", **extra)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, headers, answer.getvalue())

    return send


@pytest.fixture(scope="module")
def upstream():
    with mcp_http.running() as endpoint:
        yield endpoint


@pytest.fixture
def live(upstream, transactional_db):
    """Acme and Globex on a real server."""
    with as_operated():
        companies = [build_estate("acme", "alice"), build_estate("globex", "charlie")]
        for each in companies:
            add_live_catalogue(each, upstream)
            add_rest(each)
        with served() as base, httpx2.Client(base_url=base, timeout=30) as client:
            yield Stage(*companies, over(client), EVIDENCE, commits=True)
