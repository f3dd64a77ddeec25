"""Where cells are played: who there is, and how one request is made."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import connection, transaction

from tests.sweeps.cells import AGENT, NOBODY, STRANGER, Cell
from tests.sweeps.digests import Digests, changed, digests
from tests.sweeps.estate import Estate
from tests.sweeps.rows import Refs, Row, filled, name_at, put

NO_UUID = "00000000-0000-4000-8000-00000000dead"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OWN_IDS = re.compile(rb'("(?:run_id|decision_id)":\s*)"[^"]*"')  # of the refusal itself


@dataclass(frozen=True)
class Answer:
    """What a request was answered; of a list, `count` says how many rows it showed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        kind = self.headers.get("content-type", "").partition(";")[0]
        return json.loads(self.body) if self.body and kind.endswith("json") else None

    @property
    def shown(self) -> list[Any]:
        return self.json["results"]

    def without(self, *values: str) -> bytes:
        """The body without what was asked for, and without the refusal's own ids."""
        body = OWN_IDS.sub(rb'\1"{own}"', self.body)
        for value in values:
            body = body.replace(value.encode(), b"{it}")
        return body


Send = Callable[[str, str, bytes, str], Answer]  # method, address, body, token


@dataclass
class Stage:
    """Acme, whose rows are asked for, Globex, whose are not, and a way to ask."""

    acme: Estate
    globex: Estate
    send: Send
    may_change: frozenset[str] = frozenset()  # tables that a refusal may add to
    commits: bool = False

    def ask(self, row: Row, caller: str, refs: Refs | None = None, body: Any = None) -> Answer:
        """Make a row's request as somebody."""
        known = refs or self.acme.refs
        whole = row.body if body is None else body
        sent = b"" if whole is None else json.dumps(filled(whole, self.acme.refs)).encode()
        return self.send(row.method, filled(row.path, known), sent, self.token(caller))

    def ask_cell(self, row: Row, cell: Cell, *, foreign: bool) -> tuple[Answer, list[str]]:
        """Make the request of a cell, with foreign rows or with missing ones; tells which."""
        other = self.acme if cell.caller == STRANGER else self.globex
        named = {name: other.refs[name] for name in cell.path}
        if not foreign:
            named = {name: absent(value) for name, value in named.items()}
        body, sent = row.body, list(named.values())
        if cell.body:
            value = other.refs[name_at(row.body, cell.body)]
            value = value if foreign else absent(value)
            body, sent = put(row.body, cell.body, value), [*sent, value]
        if cell.query:
            value = other.refs[row.filters[cell.query].removeprefix("$")]
            return self.narrowed(row, cell, value if foreign else absent(value))
        return self.ask(row, cell.caller, self.acme.refs | named, body), sent

    def narrowed(self, row: Row, cell: Cell, value: str) -> tuple[Answer, list[str]]:
        """Ask for a list, narrowed to a value."""
        query = urlencode({cell.query: value})
        address = f"{filled(row.path, self.acme.refs)}?{query}"
        return self.send(row.method, address, b"", self.token(cell.caller)), [value]

    def token(self, caller: str) -> str:
        """What a caller sends as a token; empty for nobody."""
        if caller == NOBODY:
            return ""
        if caller == AGENT:
            return self.acme.agent_token()
        return self.globex.logins["owner"] if caller == STRANGER else self.acme.logins[caller]

    def subject(self, caller: str) -> str:
        """How the audit names a caller."""
        if caller in {NOBODY, AGENT}:
            return "user:" if caller == NOBODY else f"agent:{self.acme.refs['agent']}"
        estate, role = (self.globex, "owner") if caller == STRANGER else (self.acme, caller)
        return f"user:{estate.people[role].id}"

    @contextmanager
    def trial(self) -> Iterator[Digests]:
        """Let something be tried, and take it back; yields how the tables were."""
        if self.commits:
            yield digests()
            return
        with transaction.atomic():
            yield digests()
            connection.check_constraints()
            transaction.set_rollback(True)

    def unchanged(self, before: Digests) -> None:
        """Raise AssertionError where a refusal, or a read, has left more than it may."""
        left = changed(before, digests()) - self.may_change
        assert not left, f"changed: {sorted(left)}"

    def shows_nothing_of(self, other: Estate, answer: Answer, *asked: str) -> None:
        """Raise AssertionError where an answer has a name or an id of the other company's."""
        text = answer.without(*asked).decode().lower()
        assert other.word not in text, f"it names {other.word}: {text}"
        told = [
            name for name, value in other.refs.items() if UUID.fullmatch(value) and value in text
        ]
        assert not told, f"it shows ids of {other.word}: {told}: {text}"


def absent(value: str) -> str:
    """An id or a name of the same shape that nobody has."""
    return NO_UUID if UUID.fullmatch(value) else f"{value[:-6]}000000"
