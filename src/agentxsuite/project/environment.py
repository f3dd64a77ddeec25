"""Settings come from environment variables; whatever is wrong with one is told in one line."""

import os
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

PREFIX = "AgentxSuite cannot start: "
YES, NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}
FOR_OTHERS = 0o077
SHORTEST_SECRET = 32
VARIABLE = "env:"  # before the name of a variable that holds the keys themselves
SQLITE, POSTGRESQL = "agentxsuite.control.storage.sqlite", "django.db.backends.postgresql"
ENGINES = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "postgres": POSTGRESQL}
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",  # a deferred one that turns to writing fails at once
    "timeout": 20,  # seconds to wait for the one writer
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=10000;",  # as the ledger: who writes the log back, waits
}

# libpq's: no thread waits for ever for a host that has gone without a word.
PATIENCE = {"connect_timeout": "5", "tcp_user_timeout": "10000"}

# The server's: what hangs in the middle of a transaction gives up its connection and its locks.
BOUNDS = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"


def refusal(problem: str) -> ImproperlyConfigured:
    """Return the error that stops the start: one line, always with the same beginning."""
    return ImproperlyConfigured(PREFIX + problem)


def flag(name: str) -> bool:
    """Read a yes or no; unset is no."""
    word = os.environ.get(name, "").strip().lower()
    if word not in YES | NO:
        raise refusal(f"{name} must be yes or no, not {word!r}.")
    return word in YES


def text(name: str) -> str:
    """Read a word or a path; unset is empty."""
    return os.environ.get(name, "").strip()


def words(name: str, default: str = "") -> list[str]:
    """Read a list separated by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def networks(name: str) -> "list[IPv4Network | IPv6Network]":
    """Read a list of addresses and networks."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise refusal(f"{name}: {error}.") from None


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Read one word of a few."""
    word = os.environ.get(name, default).strip().lower()
    if word not in allowed:
        raise refusal(f"{name} must be one of {', '.join(allowed)}, not {word!r}.")
    return word


def public_url(default: str) -> str:
    """Read PUBLIC_URL, an absolute http(s) address without a trailing slash."""
    url = os.environ.get("PUBLIC_URL", default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise refusal(f"PUBLIC_URL must be like https://door.example.org, not {url!r}.")
    return url


def data_directory(default: str) -> Path:
    """Return DATA_DIR, made for its owner alone where it is missing."""
    path = Path(os.environ.get("DATA_DIR") or default).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(f"DATA_DIR {path} cannot be made: {error.strerror}.") from None
    return path


def database(default: str) -> dict[str, Any]:
    """Read DATABASE_URL into Django's form, with the options that each engine needs."""
    url = os.environ.get("DATABASE_URL") or default
    scheme = urlsplit(url).scheme
    if scheme not in ENGINES:
        raise refusal(f"DATABASE_URL must begin with sqlite:/// or postgresql://, not {scheme}:.")
    return _with_options(dict(dj_database_url.parse(url, engine=ENGINES[scheme])))


def _with_options(parsed: dict[str, Any]) -> dict[str, Any]:
    if parsed["ENGINE"] == SQLITE:
        return parsed | {"OPTIONS": SQLITE_OPTIONS}
    given = parsed.get("OPTIONS", {})
    bounds = f"{BOUNDS} {given.get('options', '')}".strip()  # the operator's come last, and win
    options = {**PATIENCE, **given, "options": bounds}
    return parsed | {"CONN_MAX_AGE": 0, "OPTIONS": options}  # a kept connection leaks under ASGI


def database_role(name: str) -> dict[str, Any] | None:
    """Read the address of the database as another of its roles; None where it is not set."""
    url = text(name)
    if url and ENGINES.get(urlsplit(url).scheme) != POSTGRESQL:
        raise refusal(f"{name} must begin with postgresql://.")
    return dict(dj_database_url.parse(url)) if url else None


def key_file(name: str, default: Path) -> Path:
    """Return the path of a key file; one that exists is readable, by its owner alone."""
    path = Path(os.environ.get(name) or default)
    if path.exists():
        _guarded(name, path)
    return path


def key_source(name: str, default: Path) -> Path | str:
    """Return the path of a key file, or `env:<variable>`, which holds what the file would."""
    given = text(name)
    if not given.startswith(VARIABLE):
        return key_file(name, default)
    if not text(given.removeprefix(VARIABLE)):
        raise refusal(f"{name} is {given}, and that variable is not set.")
    return given


def _guarded(name: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise refusal(f"{name} {path} cannot be read.") from None
    if path.stat().st_mode & FOR_OTHERS:
        raise refusal(f"{name} {path} can be read by others; run: chmod 600 {path}")
    return text


def secret_key(path: Path, *, embedded: bool) -> str:
    """Read SECRET_KEY; only the embedded default makes one by itself, in the file `path`."""
    given = os.environ.get("SECRET_KEY", "")
    if given:
        return _long_enough(given)
    if not embedded:
        raise refusal("SECRET_KEY must be set when the database is PostgreSQL.")
    if not path.exists():
        _write_new(path, secrets.token_urlsafe(48))
    return _long_enough(_guarded("the secret key file", path))


def _long_enough(key: str) -> str:
    if len(key) < SHORTEST_SECRET:
        raise refusal(f"SECRET_KEY must have at least {SHORTEST_SECRET} characters.")
    return key


def _write_new(path: Path, text: str) -> None:
    """Write a file that only its owner reads; when two start at once, the first one's stays."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
