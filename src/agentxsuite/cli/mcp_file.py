"""The file that every MCP client has (`mcpServers`), read into what a connection needs."""

import os
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from agentxsuite import wire
from agentxsuite.cli.failures import Misused

SECRET: Final = re.compile(r"(?i)token|key|secret|passw|credential|auth")
BLANK: Final = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
UNASKED: Final = re.compile(r"\$\{input:")
# Headers that the gateway writes by itself; a client's own make no difference.
OURS: Final = {"accept", "content-type", "user-agent", "mcp-protocol-version", "connection"}
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Unusable(Exception):
    """An entry that cannot become a connection; the text says why."""


@dataclass(frozen=True, slots=True)
class Credential:
    """How a connection logs in: the API's words, and the secret that is stored beside them."""

    method: str = "none"
    config: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Command:
    """A program that a client would start: only whoever runs the server may let it be.

    Its texts are as the file has them: what stands for a variable may stand for a secret.
    """

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: str | None = None

    @property
    def secret_variable(self) -> str | None:
        """The variable that the connection's secret goes to: the first that sounds like one."""
        return next(filter(SECRET.search, self.env), None)

    def filled(self) -> "Command":
        """The same with this process's variables put in; raises Unusable where one is not set."""
        env = {name: filled(value) for name, value in self.env.items()}
        return Command(
            self.name, tuple(map(filled, self.words)), env, self.cwd and filled(self.cwd)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One server of the file: an address with a credential, or a command, or why it is neither."""

    name: str
    endpoint: str = ""
    credential: Credential = Credential()
    command: Command | None = None
    unusable: str = ""
    disabled: bool = False


def read(path: Path) -> list[Entry]:
    """Read a file; raises Misused where it is none."""
    try:
        told = wire.loads(path.read_bytes())
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from None
    except wire.WireError as error:
        raise Misused(f"{path} is not JSON: {error.detail}") from None
    servers = _servers(told)
    if not isinstance(servers, dict) or not servers:
        raise Misused(f"{path} has no `mcpServers`", 'expected {"mcpServers": {"name": {...}}}')
    return [read_entry(name, facts) for name, facts in servers.items()]


def read_entry(name: str, facts: Any) -> Entry:
    """Read one server."""
    if not isinstance(facts, dict):
        return Entry(name, unusable="it is not an object")
    if facts.get("disabled") or facts.get("enabled") is False:
        return Entry(name, disabled=True, unusable="disabled in the file")
    try:
        url = facts.get("url") or facts.get("serverUrl") or facts.get("httpUrl")
        if url is None:
            return _program(name, facts)
        return _address(name, facts, filled(_text("url", url)))
    except Unusable as reason:
        return Entry(name, unusable=str(reason))


def filled(text: str) -> str:
    """Put variables of this process in for `${NAME}`, `${env:NAME}`, `${NAME:-default}`."""
    if UNASKED.search(text):
        raise Unusable("it asks for an input: write the value, or ${NAME} and set that variable")

    def value(blank: re.Match[str]) -> str:
        found = os.environ.get(blank[1], blank[2])
        if found is None:
            raise Unusable(f"the variable {blank[1]} is not set here")
        return found

    return BLANK.sub(value, text)


def credential(headers: Mapping[str, str]) -> Credential:
    """Return what headers log in with (RFC 6750 section 2.1, RFC 7617 section 2)."""
    sent = {name: value for name, value in headers.items() if name.lower() not in OURS}
    if not sent:
        return Credential()
    if len(sent) > 1:
        raise Unusable(f"a connection sends one header, not {len(sent)}: {', '.join(sent)}")
    ((name, value),) = sent.items()
    if name.lower() != "authorization":
        return Credential("header", {"header": name}, value)
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return Credential("bearer", {}, rest.strip())
    if scheme.lower() == "basic":
        return _basic(rest)
    return Credential("header", {"header": name}, value)


def _servers(told: Any) -> Any:
    return (told.get("mcpServers") or told.get("servers")) if isinstance(told, dict) else None


def _address(name: str, facts: Mapping[str, Any], url: str) -> Entry:
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise Unusable(f"its url begins with neither http nor https: {scheme}:")
    before = "sse+" if facts.get("type") == "sse" or facts.get("transport") == "sse" else ""
    headers = {header: filled(value) for header, value in _pairs("headers", facts)}
    return Entry(name, before + url, credential(headers))


def _program(name: str, facts: Mapping[str, Any]) -> Entry:
    words = [facts.get("command"), *_list(facts.get("args", []))]
    if not words[0]:
        raise Unusable("it has neither a url nor a command")
    if not NAME.fullmatch(slug := name.lower().replace(" ", "-").replace(".", "-")):
        raise Unusable("its name cannot be a template's: a-z, 0-9, - and _, a letter first")
    argv = tuple(_text("args", word) for word in words)
    cwd = facts.get("cwd")
    command = Command(slug, argv, dict(_pairs("env", facts)), cwd and _text("cwd", cwd))
    env, variable = command.filled().env, command.secret_variable
    known = Credential("bearer", {}, env[variable]) if variable else Credential()
    return Entry(name, f"stdio://{slug}", known, command)


def _pairs(noun: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = facts.get(noun) or {}
    if not isinstance(given, dict):
        raise Unusable(f"its {noun} are not an object")
    for name, value in given.items():
        yield name, _text(noun, value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unusable("its args are not a list")
    return value


def _text(noun: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable(f"its {noun} are not text")
    return value


def _basic(encoded: str) -> Credential:
    try:
        username, colon, password = b64decode(encoded, validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        colon = ""
    if not colon or not password:
        raise Unusable("its Authorization header is not Basic as RFC 7617 has it")
    return Credential("basic", {"username": username}, password)
