"""The two companies of the matrix, made once for each page of tests, and taken away after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from agentxsuite.control.secretstore.keys import MasterKeys
from agentxsuite.engines.tokens import KeyRing
from tests.openapi.checked import CheckedClient
from tests.sweeps import estate
from tests.sweeps.estate import Estate, build_estate
from tests.sweeps.stage import Answer, Send, Stage

FAST = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CALLERS = count()


@contextmanager
def committed(blocker) -> Iterator[None]:
    """What is stored stays for the page of tests, seen by every connection, and goes after it."""
    own = {"REGISTRATION": "open", "PASSWORD_HASHERS": FAST, "EGRESS_ALLOW": ["127.0.0.0/8"]}
    with blocker.unblock(), override_settings(**own):
        for path, keys in ((settings.TOKEN_KEYS, KeyRing), (settings.SECRET_KEYS, MasterKeys)):
            if not Path(path).exists():
                keys.create(Path(path))
        try:
            yield
        finally:
            call_command("flush", verbosity=0, interactive=False)


def founded(word: str, owner: str) -> Estate:
    """A company with one of everything."""
    made = build_estate(word, owner)
    estate.add_catalogue(made)
    estate.add_agents(made)
    estate.add_policies(made)
    estate.add_evidence(made)
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
