"""The operator's issuers: read where the setting says, told without a secret, or no start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from agentxsuite.control.agents.accounts import create_service_account
from agentxsuite.control.agents.issuers import described_issuers, trusted_issuers
from agentxsuite.control.problems import Invalid
from agentxsuite.project.asgi import Application

TABLE = '[corporate]\nissuer = "https://id.example"\nalgorithms = ["RS256"]\n'


@pytest.fixture
def listed(settings, tmp_path):
    def listed(text):
        path = tmp_path / "issuers.toml"
        path.write_text(text)
        settings.TRUSTED_ISSUERS = str(path)

    return listed


def test_an_operator_sees_whom_the_server_trusts(listed):
    """Otherwise: nobody can look up who may sign for an agent."""
    assert described_issuers() == []
    listed(TABLE)
    assert described_issuers() == [
        {
            "name": "corporate",
            "issuer": "https://id.example",
            "algorithms": ["RS256"],
            "jwks_uri": None,
            "leeway_seconds": 5,
            "max_lifetime_seconds": 86400,
            "organizations": [],
        }
    ]


@pytest.mark.parametrize("text", ["[", TABLE.replace("RS256", "HS256")])
def test_a_file_to_be_corrected_is_told_in_one_line(listed, text):
    """Otherwise: an operator reads a stack trace that names no file."""
    listed(text)
    with pytest.raises(ImproperlyConfigured, match=r"^TRUSTED_ISSUERS: issuers\.toml: [^\n]+\.$"):
        trusted_issuers()


def test_a_file_that_is_missing_is_told_in_one_line(settings):
    """Otherwise: a server whose file was mounted elsewhere trusts nobody, and says nothing."""
    settings.TRUSTED_ISSUERS = "/nowhere/issuers.toml"
    with pytest.raises(ImproperlyConfigured, match=r"/nowhere/issuers[.]toml: No such file"):
        trusted_issuers()


@pytest.mark.django_db(transaction=True)
async def test_a_server_with_such_a_file_does_not_start(listed):
    """Otherwise: it starts, and the first agent of the issuer finds out."""
    listed("[")
    told = []

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        told.append(message)

    await Application()({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in told] == ["lifespan.startup.failed"]
    assert told[0]["message"].startswith("TRUSTED_ISSUERS: issuers.toml:")


def test_an_issuer_of_others_is_refused_where_it_could_never_work(listed, company):
    """Otherwise: an organization takes the names that another one's issuer gives."""
    listed(TABLE + 'organizations = ["another"]\n')
    facts = {"issuer": "https://id.example", "subject": "robot", "audience": "us"}
    with pytest.raises(Invalid) as refused:
        create_service_account(company.actor, company.organization, "Robot", **facts)
    assert refused.value.errors[0]["path"] == "/issuer"
