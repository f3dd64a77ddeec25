"""The settings: nothing to set on the embedded default, nothing guessed in production."""

import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from agentxsuite.project import environment

# what is set beside a good environment of its kind: what the one line says
BAD_ANYWHERE = [
    ({"DATABASE_URL": "mysql://root@db/x"}, "DATABASE_URL must begin with sqlite"),
    ({"DATABASE_URL": "agentxsuite.sqlite3"}, "DATABASE_URL must begin with sqlite"),
    ({"DEBUG": "perhaps"}, "DEBUG must be yes or no, not 'perhaps'"),
    ({"REGISTRATION": "anyone"}, "REGISTRATION must be one of open, invite, closed"),
    ({"PLANE": "astral"}, "PLANE must be one of all, data, control"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 32 characters"),
    ({"PUBLIC_URL": "door.example.org"}, "PUBLIC_URL must be like https://"),
    ({"PUBLIC_URL": "ftp://door.example.org"}, "PUBLIC_URL must be like https://"),
    ({"PUBLIC_URL": "https://door.example.org/?a=b"}, "PUBLIC_URL must be like https://"),
    ({"DATA_DIR": "/dev/null/data"}, "DATA_DIR /dev/null/data cannot be made"),
    ({"TOKEN_KEYS": "/"}, "TOKEN_KEYS / cannot be read"),
    ({"SECRET_KEYS": "/"}, "SECRET_KEYS / cannot be read"),
    ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
    ({"TRUSTED_PROXIES": "proxy.example"}, "TRUSTED_PROXIES: 'proxy.example' does not appear"),
    ({"MTLS_HEADER": "X-Client-Cert"}, "TRUSTED_PROXIES does not say who may send it"),
    ({"AGENTS_BY_NAME": "yes"}, "AGENTS_BY_NAME must be one of no, embedded, anywhere"),
    ({"SECRET_KEYS": "env:NOBODY"}, "SECRET_KEYS is env:NOBODY, and that variable is not set"),
]
BAD_IN_PRODUCTION = [
    ({"SECRET_KEY": ""}, "SECRET_KEY must be set when the database is PostgreSQL"),
    ({"DEBUG": "yes"}, "DEBUG must be off when the database is PostgreSQL"),
    ({"REGISTRATION": "open"}, "REGISTRATION must be invite or closed"),
    ({"AGENTS_BY_NAME": "embedded"}, "AGENTS_BY_NAME must be no, or anywhere"),
    ({"DATABASE_LEDGER_URL": ""}, "DATABASE_LEDGER_URL must be set when the database is Postgre"),
    ({"DATABASE_LEDGER_URL": "sqlite:///x"}, "DATABASE_LEDGER_URL must begin with postgresql://"),
    ({"DATABASE_OWNER_URL": "mysql://x"}, "DATABASE_OWNER_URL must begin with postgresql://"),
]


def refused(monkeypatch, settings_now, values):
    """The one line with which the start is refused."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        settings_now()
    line = str(refusal.value)
    assert line.startswith("AgentxSuite cannot start: ")
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("values", "said"), BAD_ANYWHERE)
def test_a_bad_setting_stops_the_start(bare, monkeypatch, settings_now, values, said):
    """A slip of the pen is found by a stranger, or by nobody, instead of by the operator."""
    assert said in refused(monkeypatch, settings_now, values)


@pytest.mark.parametrize(("values", "said"), BAD_IN_PRODUCTION)
def test_an_unsafe_setting_stops_production(production, monkeypatch, settings_now, values, said):
    """A company serves its tools with a default that everybody knows."""
    assert said in refused(monkeypatch, settings_now, values)


@pytest.mark.parametrize("name", ["TOKEN_KEYS", "SECRET_KEYS"])
def test_a_key_file_that_others_can_read_stops_the_start(bare, monkeypatch, settings_now, name):
    """Any account on the machine can sign tokens or read every stored secret."""
    bare.mkdir()
    keys = bare / "keys.json"
    keys.write_text("{}")
    keys.chmod(0o640)
    assert f"chmod 600 {keys}" in refused(monkeypatch, settings_now, {name: str(keys)})


def test_a_secret_key_file_that_others_can_read_stops_the_start(bare, monkeypatch, settings_now):
    """Any account on the machine can sign in as anybody."""
    settings_now()
    (bare / "secret-key").chmod(0o604)
    assert "the secret key file" in refused(monkeypatch, settings_now, {})


def test_a_binary_key_file_stops_the_start(bare, monkeypatch, settings_now):
    """A damaged key file ends in a stack trace that names no file."""
    bare.mkdir()
    keys = bare / "keys.json"
    keys.write_bytes(b"\xff\xfe")
    assert f"TOKEN_KEYS {keys} cannot be read" in refused(
        monkeypatch, settings_now, {"TOKEN_KEYS": str(keys)}
    )


def test_the_embedded_default_needs_nothing(bare, settings_now):
    """A newcomer has to read a manual before the first start."""
    settings = settings_now()
    assert settings.EMBEDDED
    assert settings.DATABASES["default"]["NAME"] == str(bare / "agentxsuite.sqlite3")
    assert set(settings.ALLOWED_HOSTS) == {"127.0.0.1", "localhost"}
    assert settings.REGISTRATION == "open"
    assert settings.DEBUG is False


def test_the_embedded_default_keeps_its_key_to_itself(bare, settings_now):
    """Every restart signs everybody out, or anybody can read the key."""
    first = settings_now().SECRET_KEY
    assert first == settings_now().SECRET_KEY
    assert (bare / "secret-key").read_text() == first
    assert stat.S_IMODE((bare / "secret-key").stat().st_mode) == 0o600
    assert stat.S_IMODE(bare.stat().st_mode) == 0o700
    assert [path.name for path in bare.iterdir()] == ["secret-key"]


def test_two_first_starts_at_once_agree_on_a_key(bare, settings_now):
    """Two workers that start together sign with different keys."""
    first = settings_now().SECRET_KEY
    environment._write_new(bare / "secret-key", "the second one's")
    assert first == settings_now().SECRET_KEY
    assert [path.name for path in bare.iterdir()] == ["secret-key"]


def test_production_takes_what_it_is_told(production, monkeypatch, settings_now):
    """A well set-up server does not start, or starts as something else."""
    for name, value in {
        "ALLOWED_HOSTS": "door.example.org, 10.0.0.5",
        "EGRESS_ALLOW": "127.0.0.1:9000,10.0.0.0/8",
        "REDIS_URL": "redis://cache/1",
        "STDIO_TEMPLATES": "/etc/agentxsuite/templates.toml",
        "PLANE": "Data",
    }.items():
        monkeypatch.setenv(name, value)
    settings = settings_now()
    assert not settings.EMBEDDED
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 0
    assert settings.DATABASE_ROLES["ledger"]["USER"] == "ledger"
    assert settings.DATABASE_ROLES["owner"] is None
    assert settings.PUBLIC_URL == "https://door.example.org"
    assert settings.ALLOWED_HOSTS == ["door.example.org", "10.0.0.5"]
    assert settings.EGRESS_ALLOW == ["127.0.0.1:9000", "10.0.0.0/8"]
    assert settings.REGISTRATION == "invite"
    assert settings.PLANE == "data"
    assert settings.REDIS_URL == "redis://cache/1"
    assert settings.STDIO_TEMPLATES == "/etc/agentxsuite/templates.toml"
    assert not (production / "secret-key").exists()


def test_what_an_address_says_about_bounds_wins_over_ours(production, monkeypatch, settings_now):
    """An operator cannot give a slow report its time, or loses all other bounds by doing so."""
    address = "postgresql://app@db.example/agentxsuite?options=-c%20statement_timeout%3D5min"
    monkeypatch.setenv("DATABASE_URL", address)
    options = settings_now().DATABASES["default"]["OPTIONS"]["options"]
    assert options == f"{environment.BOUNDS} -c statement_timeout=5min"
