"""The person's own file of logins: one token a server, readable by nobody else."""

import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import typer

from agentxsuite import wire
from agentxsuite.cli.failures import Misused

DEFAULT_SERVER: Final = "http://127.0.0.1:8000"
FOR_OTHERS: Final = 0o077
HERE: Final = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Login:
    """A token for one server, and where its commands act unless told: two ids, or nothing."""

    server: str
    email: str
    token: str
    expiry: str
    organization: str = ""
    environment: str = ""


class Logins:
    """What the file holds: every login, and the server that was logged in to last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known, self._current = self._read()

    @classmethod
    def of_this_person(cls) -> "Logins":
        """Open the file in the person's configuration directory (XDG_CONFIG_HOME)."""
        return cls(Path(typer.get_app_dir("agentxsuite")) / "logins.json")

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def current(self) -> str:
        """The server that commands talk to unless told."""
        return self._current or DEFAULT_SERVER

    def find(self, server: str) -> Login | None:
        """Return the login to a server, if there is one."""
        return self._known.get(server)

    def keep(self, login: Login) -> None:
        """Write a login down; its server is the one that commands talk to from now on."""
        self._known[login.server], self._current = login, login.server
        self._write()

    def act_in(self, server: str, organization: str, environment: str) -> None:
        """Remember where commands act unless told."""
        known = self._known[server]
        self._known[server] = replace(known, organization=organization, environment=environment)
        self._write()

    def forget(self, server: str) -> None:
        """Strike out a login; the server stays the current one."""
        if self._known.pop(server, None) is not None:
            self._write()

    def _read(self) -> tuple[dict[str, Login], str]:
        try:
            body = self._path.read_bytes()
            mode = self._path.stat().st_mode
        except FileNotFoundError:
            return {}, ""
        except OSError as error:
            raise Misused(f"{self._path} cannot be read: {error.strerror}") from None
        if mode & FOR_OTHERS:
            hint = f"chmod 600 {self._path}, and log in again if others use this machine"
            raise Misused(f"{self._path} holds tokens and can be read by others", hint)
        try:
            stored = wire.loads(body)
            known = {each["server"]: Login(**each) for each in stored["logins"]}
            return known, str(stored["current"])
        except (wire.WireError, KeyError, TypeError):
            hint = "delete it and log in again"
            raise Misused(f"{self._path} is not a file of logins", hint) from None

    def _write(self) -> None:
        """Replace the file whole, so that nobody reads half of it."""
        stored = {
            "current": self._current,
            "logins": [asdict(each) for each in self._known.values()],
        }
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(wire.dumps(stored))
        draft.replace(self._path)


def server_address(text: str) -> str:
    """Return a server's address in the one form that logins are kept by; raises Misused."""
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise Misused(f"{text!r} is not a server's address such as https://door.example.org")
    return address


def is_here(server: str) -> bool:
    """Whether a server is on this machine: what goes there crosses no network."""
    return urlsplit(server).hostname in HERE


def is_open(server: str) -> bool:
    """Whether what goes there can be read on the way."""
    return urlsplit(server).scheme == "http" and not is_here(server)
