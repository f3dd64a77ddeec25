"""The command line of the server."""

import os
import subprocess
import sys

import pytest
import uvicorn
from django.contrib.auth import authenticate
from knox.models import AuthToken
from typer.testing import CliRunner

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.models import User
from agentxsuite.project import main

GOOD = {"PASSWORD": "a long enough password"}


@pytest.fixture
def run():
    """Run a command as if it were typed; returns its exit status and what it printed."""

    def run(*words, **environment):
        result = CliRunner().invoke(main.app, words, env=environment)
        return result.exit_code, result.output.strip()

    return run


@pytest.mark.database
@pytest.mark.django_db
def test_createuser_makes_an_account_that_can_log_in(run):
    """Nobody can log in to a new installation."""
    assert run("createuser", "Ada@Example.org", **GOOD) == (0, "created ada@example.org")
    user = authenticate(username="ADA@example.org", password=GOOD["PASSWORD"])
    assert isinstance(user, User)
    assert not user.is_operator


@pytest.mark.django_db
def test_createuser_makes_an_operator(run):
    """Nobody may see or set up the installation."""
    assert run("createuser", "--operator", "ada@example.org", **GOOD) == (
        0,
        "created ada@example.org (operator)",
    )
    assert User.objects.get().is_operator


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada@example.org", "short", "too short"),
        ("ada", GOOD["PASSWORD"], "valid email"),
        ("taken@example.org", GOOD["PASSWORD"], "has this email"),
    ],
)
def test_createuser_says_what_is_wrong(run, email, password, said):
    """An operator gets a stack trace, or an account with a password that is soon guessed."""
    User.objects.create_user("taken@example.org")
    status, output = run("createuser", email, PASSWORD=password)
    assert status == 2
    assert said in output
    assert User.objects.count() == 1


@pytest.mark.database
@pytest.mark.django_db
def test_resetpassword_lets_somebody_in_again_and_everybody_else_out(run):
    """Who lost a password stays out, or who found it stays in; and nobody can tell when it was."""
    user = User.objects.create_user("ada@example.org")
    AuthToken.objects.create(user)
    said = "ada@example.org has a new password and is logged out everywhere"
    assert run("resetpassword", "ADA@example.org", **GOOD) == (0, said)
    assert authenticate(username="ada@example.org", password=GOOD["PASSWORD"]) == user
    assert not AuthToken.objects.exists()
    event = AuditEvent.objects.get(event_type="password_reset")
    assert (event.subject, event.target) == ("client:command-line", f"user:{user.id}")
    assert event.event_data == {"logins_ended": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada@example.org", "short", "too short"),
        ("nobody@example.org", GOOD["PASSWORD"], "no account"),
    ],
)
def test_resetpassword_says_what_is_wrong(run, email, password, said):
    """An operator gets a stack trace, or opens an account with a password that is soon guessed."""
    user = User.objects.create_user("ada@example.org")
    status, output = run("resetpassword", email, PASSWORD=password)
    assert status == 2
    assert said in output
    assert User.objects.get().password == user.password


@pytest.fixture
def served(monkeypatch, db):
    """How the server would have been started."""
    served = []
    monkeypatch.setenv("PLANE", "all")
    monkeypatch.setattr(uvicorn.Server, "run", lambda server: served.append(server.config))
    return served


def test_serve_starts_the_application(run, served):
    """The server listens elsewhere, or as another plane, than it was told to."""
    assert run("serve", "--host", "0.0.0.0", "--port", "80", "--plane", "data") == (0, "")  # noqa: S104 - nothing listens
    (config,) = served
    assert config.app == "agentxsuite.project.asgi:application"
    assert (config.host, config.port) == ("0.0.0.0", 80)  # noqa: S104 - nothing listens
    assert os.environ["PLANE"] == "data"


@pytest.mark.parametrize(
    ("embedded", "redis", "missing"),
    [(True, "", "DATABASE_URL"), (False, "", "REDIS_URL")],
)
def test_several_workers_need_what_they_share(run, served, settings, embedded, redis, missing):
    """Two workers count each their own limits, or fight for one SQLite file."""
    settings.EMBEDDED, settings.REDIS_URL = embedded, redis
    status, output = run("serve", "--workers", "2")
    assert status == 2
    assert output.startswith("AgentxSuite cannot start: ")
    assert output.endswith(f"for --workers set {missing}.")
    assert output.count("\n") == 0
    assert served == []


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_retain_says_what_would_go_and_then_lets_it_go(run, months_of_old, old_event):
    """An operator finds out what is gone when it is gone."""
    kept = ("retain", "--audit-days", "390", "--runs-days", "390")
    status, said = run(*kept)
    assert status == 0
    assert "would let go of audit_auditevent" in said
    assert AuditEvent.objects.filter(id=old_event.id).exists()
    assert run(*kept, "--yes")[1] == said.replace("would let go of", "let go of")
    assert not AuditEvent.objects.filter(id=old_event.id).exists()
    assert run(*kept) == (0, "")


def test_retain_keeps_today(run):
    """A slip of the hand takes the evidence of the running day."""
    assert run("retain", "--audit-days", "0", "--runs-days", "9")[0] == 2


def command(*words, **environment):
    """Run it as a process of its own."""
    program = "from agentxsuite.project.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=os.environ | environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_migrate_brings_an_empty_database_up(bare):
    """The first start on a new machine fails."""
    done = command("migrate", DJANGO_SETTINGS_MODULE="agentxsuite.project.settings")
    assert done.returncode == 0, done.stderr
    assert (bare / "agentxsuite.sqlite3").exists()
    assert "0002_revision... OK" in done.stdout


def test_a_bad_setting_is_told_in_one_line(bare):
    """An operator has to find the reason at the end of a stack trace."""
    done = command("migrate", DATABASE_URL="mysql://x")
    assert done.returncode == 2
    assert done.stderr.startswith("AgentxSuite cannot start: DATABASE_URL")
    assert done.stderr.count("\n") == 1


def test_createkeys_makes_what_is_missing_and_keeps_what_is_there(run, tmp_path, settings):
    """On PostgreSQL nobody could start a server, or a second run would lose every secret."""
    settings.TOKEN_KEYS, settings.SECRET_KEYS = tmp_path / "tokens.json", tmp_path / "secrets.json"
    status, output = run("createkeys")
    assert status == 0
    assert output.count("created ") == 2
    before = settings.SECRET_KEYS.read_bytes()
    assert settings.SECRET_KEYS.stat().st_mode & 0o777 == 0o600
    assert run("createkeys")[1].count("kept ") == 2
    assert settings.SECRET_KEYS.read_bytes() == before
