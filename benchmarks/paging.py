"""Measure how long a page of a million audit events takes, and how many of them are read for it.

``python -m benchmarks.paging`` takes about a minute and prints a table for RESULTS.md;
status 1 when a page reads more than it should.
"""

import asyncio
import sys
from base64 import b64encode
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, NamedTuple
from urllib.parse import urlencode

import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks import calls, events, gateway, report, storage
from benchmarks.__main__ import say
from benchmarks.calls import Address
from benchmarks.http1 import connect
from benchmarks.processes import end_on_signals, free_port, module, running
from benchmarks.told import Told
from tests.servers import postgres
from tests.servers.plans import scanned

EVENTS: Final = 1_000_000
TABLE: Final = "audit_auditevent"
SIZE: Final = 50  # rows of a page
TURNS: Final = 15  # times that each page is asked for
BOUND: Final = 1_000  # rows that may be read for a page of what is matched exactly
FOUNDER: Final = "bench@bench.example"
PASSWORD: Final = "of a benchmark, which keeps no secrets"  # noqa: S105 - as it says
WEEK: Final = [datetime.now(UTC) - timedelta(days=days) for days in (187, 180)]
LISTS: Final = {
    "": "true",
    "subject=agent:7": "subject = 'agent:7'",
    "subject=agent:*": "subject LIKE 'agent:%%'",
    "subject=user:*": "subject LIKE 'user:%%'",
    "subject=client:*": "subject LIKE 'client:%%'",
    "action=organization.change": "action = 'organization.change'",
    "action=tool*": "action LIKE 'tool%%'",
    "target=tool:pay/5": "target = 'tool:pay/5'",
    "target=tool:pay/5*": "target LIKE 'tool:pay/5%%'",
    "target=tool:none/*": "target LIKE 'tool:none/%%'",
    "decision=deny": "decision = 'deny'",
    "ts_from={:%FT%TZ}&ts_to={:%FT%TZ}".format(*WEEK): "ts BETWEEN '{}' AND '{}'".format(*WEEK),
}
HEAD: Final = ("audit, narrowed by", "first: ms", "rows", "middle: ms", "rows", "last: ms", "rows")
PLACES: Final = """
SELECT id FROM audit_auditevent WHERE organization_id = %s AND {condition}
ORDER BY id OFFSET %s LIMIT 1"""


class Page(NamedTuple):
    """How long it took, in milliseconds, and how many rows were read for it."""

    took: float
    rows: int


class Reader:
    """Somebody who reads the audit of the benchmark's organization."""

    def __init__(self, installation: gateway.Installation, token: str, told: Told) -> None:
        self._home = f"/api/v1/orgs/{installation.organization}/audit/"
        self._address = Address(installation.url, token)
        self._told = told

    async def page(self, query: str) -> Page:
        """Read a page again and again, and once while PostgreSQL tells what it does."""
        took = [await self.took(query) for _ in range(TURNS)]
        with self._told.about(TABLE) as plans:
            await self.took(query)
        return Page(median(took) * 1000, sum(map(scanned, plans)))

    async def took(self, query: str) -> float:
        """How long a page takes; raises WrongAnswerError where there is none."""
        connection = await connect(self._address.url)
        request = self._address.get(f"{self._home}?{query}")
        begun = perf_counter()
        answer = await connection.exchange(request)
        took = perf_counter() - begun
        connection.close()
        if answer.status != 200:
            raise calls.WrongAnswerError(f"status {answer.status}: {answer.body[:300]!r}")
        return took


def main() -> int:
    """Measure and print."""
    end_on_signals()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-bench-")))
        port = free_port()
        upstream = module("benchmarks.upstream", "--port", str(port))
        stack.enter_context(running(upstream, port, folder / "upstream.log"))
        settings = stack.enter_context(storage.engines(folder))
        url, home = f"http://127.0.0.1:{port}/mcp", folder / "home"
        installation = stack.enter_context(gateway.installed(home, url, settings))
        known = gateway.settings_of(home, url, settings, port) | {"PASSWORD": PASSWORD}
        gateway.run([str(gateway.COMMAND), "resetpassword", FOUNDER], known)
        address = make_conninfo(settings["DATABASE_URL"], user="postgres")
        admin = stack.enter_context(psycopg.connect(address, autocommit=True))
        begun = perf_counter()
        events.fill(admin, installation.organization, EVENTS)
        say(f"{EVENTS:,} events are stored after {perf_counter() - begun:.0f} s")
        told = Told(admin, postgres.APP, folder / "postgresql.log")
        pages = asyncio.run(read(installation, told, admin))
    print(report.table(HEAD, [row(query, found) for query, found in pages.items()]))
    exact = [found for query, found in pages.items() if "*" not in query]
    return max(page.rows for found in exact for page in found) > BOUND


async def read(
    installation: gateway.Installation, told: Told, admin: psycopg.Connection
) -> dict[str, list[Page]]:
    """Log in, and read three pages of every list."""
    token = await logged_in(installation.url)
    reader = Reader(installation, token, told)
    pages = {}
    for query, condition in LISTS.items():
        cursors = places(admin, installation.organization, condition)
        pages[query] = [await reader.page(f"{query}&{each}") for each in cursors]
        say(f"{query or 'all'}: {pages[query]}")
    return pages


async def logged_in(url: str) -> str:
    """The token of the organization's founder."""
    connection = await connect(url)
    login = Address(f"{url}/api/v1/auth/login/")
    answer = await connection.exchange(login.post({"email": FOUNDER, "password": PASSWORD}))
    connection.close()
    token: str = orjson.loads(answer.body)["token"]
    return token


def places(admin: psycopg.Connection, organization: str, condition: str) -> list[str]:
    """The cursors of the first page, of one in the middle, and of the last."""
    counted = f"SELECT count(*) FROM {TABLE} WHERE organization_id = %s AND {condition}"  # noqa: S608 - our own words
    ((number,),) = admin.execute(counted, [organization]).fetchall()
    found = [""]
    for before in (number // 2, min(SIZE, number - 1)):
        query = PLACES.format(condition=condition)
        for (position,) in admin.execute(query, [organization, max(0, before)]):
            found.append(urlencode({"cursor": b64encode(urlencode({"p": position}).encode())}))
    return found


def row(query: str, pages: list[Page]) -> list[str]:
    """The figures of a list."""
    cells = [cell for page in pages for cell in (f"{page.took:.1f}", f"{page.rows:,}")]
    name = "ts_from=...&ts_to=..." if query.startswith("ts_") else query
    return [f"`{name}`" if name else "nothing", *cells, *[""] * (len(HEAD) - 1 - len(cells))]


if __name__ == "__main__":
    sys.exit(main())
