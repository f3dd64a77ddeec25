"""The data plane as an ASGI application: its routes, its life, and the gate it builds."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial

from django.conf import settings

from agentxsuite import wire
from agentxsuite.control.agents.issuers import trusted_issuers
from agentxsuite.control.agents.keys import key_ring
from agentxsuite.control.catalog.upstreams import egress
from agentxsuite.control.secretstore.inbound import fingerprints
from agentxsuite.control.storage.roles import conninfo
from agentxsuite.engines.limits import Limiter, MemoryLimiter, RedisLimiter
from agentxsuite.engines.tokens import FetchFailed, OutsideVerifier, Verifier
from agentxsuite.engines.upstream import UpstreamError, fetch_document
from agentxsuite.gateway import browse, mcp, rest
from agentxsuite.gateway.gate import Gate, Question, Upstream
from agentxsuite.gateway.hosts import Hosts
from agentxsuite.gateway.http import Gone, Receive, Request, Scope, Send, problem, reply
from agentxsuite.gateway.ledger import GroupCommit, PostgresWriter, SqliteWriter
from agentxsuite.gateway.looking import heed, tidy
from agentxsuite.gateway.orm import FreshDirectory, PostgresReader, SqliteReader
from agentxsuite.gateway.orm.snapshot import load_snapshot
from agentxsuite.gateway.orm.stored import PostgresAnswers, SqliteAnswers
from agentxsuite.gateway.orm.syncing import sync
from agentxsuite.gateway.pages import is_preflight, preflight, readable
from agentxsuite.gateway.protected import WELL_KNOWN, metadata
from agentxsuite.gateway.record import write_counts
from agentxsuite.gateway.refusals import Malformed, Refusal, Unavailable, Unknown
from agentxsuite.gateway.seals import Seals
from agentxsuite.gateway.worker.heartbeat import beat, leave, watch
from agentxsuite.gateway.worker.reaper import reap, sweep
from agentxsuite.gateway.worker.rounds import Pace, keep

PROBES = ("/healthz", "/readyz")
OURS = ("/mcp/", "/.well-known/jwks.json", WELL_KNOWN, *PROBES)
EXECUTE = "/runs/execute/"
NOWHERE = "00000000-0000-0000-0000-000000000000"
PACE = Pace()
LOADERS = 2  # organizations whose snapshots are loaded at a time

log = logging.getLogger(__name__)

Handler = Callable[[Request, tuple[str, ...], Send], Awaitable[None]]


class Gateway:
    """The data plane; ``owns`` tells which paths are its own, ``running`` is its life."""

    def __init__(self, hosts: Hosts, ready: Callable[[], Awaitable[None]] | None = None) -> None:
        self._hosts = hosts
        self._check = ready or self._directory_answers  # raises Unavailable
        self._gate: Gate | None = None
        self._jwks: Mapping[str, wire.JSON] = {}
        # A connection's name goes into a header; what needs no quoting anywhere is unreserved.
        place = r"/mcp/([^/]+)/([^/]+)(?:/([A-Za-z0-9._~-]+))?/?"
        self._routes: tuple[tuple[re.Pattern[str], str, Handler], ...] = (
            (re.compile(place), "POST", self._mcp),
            (rest.PATH, "POST", self._execute),
            (browse.PATH, "GET", self._browse),
            (re.compile(r"/healthz"), "GET", self._health),
            (re.compile(r"/readyz"), "GET", self._ready),
            (re.compile(r"/\.well-known/jwks\.json"), "GET", self._keys),
            (re.compile(rf"{WELL_KNOWN}{place}"), "GET", self._resource),
        )

        self._for_pages: tuple[Handler, ...] = (self._mcp, self._resource)

    def owns(self, path: str) -> bool:
        """Whether the path is one of the data plane's."""
        return path.startswith(OURS) or path.endswith(EXECUTE) or bool(browse.PATH.match(path))

    @asynccontextmanager
    async def running(self, upstream: Upstream) -> AsyncIterator[None]:
        """Build the gate, serve, and let go of everything but the upstreams."""
        async with open_gate(upstream) as gate:
            self._gate, self._jwks = gate, key_ring().jwks()
            try:
                yield
            finally:
                self._gate = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request to a path of ours."""
        request = Request.read(scope, receive)
        found = self._find(request.path)
        if found is None:
            return await problem(send, Unknown("not_found", "There is nothing at this address."))
        method, handler, parts = found
        if not self._hosts.admits(request):
            return await problem(send, ForeignHost())
        if handler in self._for_pages:
            send = readable(request, send)
            if is_preflight(request):
                return await preflight(request, method, send)
        if request.method != method:
            return await problem(send, WrongMethod(method), ((b"allow", method.encode()),))
        try:
            await handler(request, parts, send)
        except Gone:
            log.info("caller gone: %s", request.path)
        except Refusal as refusal:
            await problem(send, refusal)
        return None

    def end_streams(self) -> None:
        """Let those go who would listen for ever."""
        if self._gate is not None:
            self._gate.listens.end()

    def _find(self, path: str) -> tuple[str, Handler, tuple[str, ...]] | None:
        for pattern, method, handler in self._routes:
            if match := pattern.fullmatch(path):
                return method, handler, match.groups()
        return None

    def _open(self) -> Gate:
        if self._gate is None:
            raise Unavailable("starting", "The gateway is starting or stopping: try again.")
        return self._gate

    async def _mcp(self, request: Request, parts: tuple[str, ...], send: Send) -> None:
        await mcp.serve(request, address_of(request, parts), self._open(), send)

    async def _execute(self, request: Request, parts: tuple[str, ...], send: Send) -> None:
        await rest.execute(request, parts[0], self._open(), send)

    async def _browse(self, request: Request, parts: tuple[str, ...], send: Send) -> None:
        await browse.browse(request, parts, self._open(), send)

    async def _health(self, _request: Request, _parts: tuple[str, ...], send: Send) -> None:
        await reply(send, 200, b'{"status":"ok"}')

    async def _ready(self, _request: Request, _parts: tuple[str, ...], send: Send) -> None:
        await self._check()
        await reply(send, 200, b'{"status":"ok"}')

    async def _directory_answers(self) -> None:
        await self._open().directory.ask(Question(NOWHERE, environment=NOWHERE))

    async def _keys(self, _request: Request, _parts: tuple[str, ...], send: Send) -> None:
        await reply(send, 200, wire.dumps(self._jwks))

    async def _resource(self, request: Request, parts: tuple[str, ...], send: Send) -> None:
        told = metadata(self._open().public_url, address_of(request, parts).exact)
        await reply(send, 200, wire.dumps(told))


def address_of(request: Request, parts: tuple[str, ...]) -> mcp.Address:
    """The MCP address that a path ends with; raises Unknown for ids that are none."""
    organization, environment = map(rest.identifier, parts[:2])
    return mcp.Address(organization, environment, parts[2], request.path.endswith("/"))


class ForeignHost(Malformed):
    """The Host or Origin header names another server."""

    status = 403
    title = "Wrong host"

    def __init__(self) -> None:
        super().__init__("host_refused", "The Host or Origin header is not this server's.")


class WrongMethod(Malformed):
    """The path is there, but not for this method."""

    status = 405
    title = "Method not allowed"

    def __init__(self, method: str) -> None:
        super().__init__("method_not_allowed", f"This address answers {method} only.")


@asynccontextmanager
async def open_gate(upstream: Upstream) -> AsyncIterator[Gate]:
    """Everything the story needs, from the settings; closed in the opposite order."""
    async with AsyncExitStack() as stack:
        directory = await stack.enter_async_context(aclosing(open_directory()))
        gate = Gate(
            verifier=Verifier(key_ring(), settings.PUBLIC_URL),
            outside=await stack.enter_async_context(aclosing(open_outside())),
            fingerprints=fingerprints(),
            directory=directory,
            limiter=await stack.enter_async_context(aclosing(open_limiter())),
            upstream=upstream,
            ledger=await stack.enter_async_context(aclosing(open_ledger())),
            answers=await stack.enter_async_context(aclosing(open_answers())),
            public_url=settings.PUBLIC_URL,
            seals=Seals(key_ring().derived(b"agentxsuite state of a call")),
            sync=sync,
            by_name=settings.AGENTS_BY_NAME != "no",
        )
        upstream.heed(partial(heed, gate=gate))
        stack.push_async_callback(gate.vigil.close)
        stack.push_async_callback(gate.ears.close)
        stack.push_async_callback(write_counts, gate)
        stack.push_async_callback(leave, gate)
        stack.push_async_callback(stop, begin_rounds(gate, PACE))
        yield gate


def begin_rounds(gate: Gate, pace: Pace) -> Sequence[asyncio.Task[None]]:
    """Begin what a worker does beside answering, each in a task of its own."""
    works = (
        ("renewing the lease", beat, pace.beat),
        ("looking for runs to cancel", watch, pace.watch),
        ("closing lost runs", reap, pace.reap),
        ("forgetting old keys", sweep, pace.sweep),
        ("writing counted refusals", write_counts, pace.count),
        ("letting go of connections", tidy, pace.tidy),
    )
    return [
        asyncio.create_task(keep(what, partial(work, gate), seconds))
        for what, work, seconds in works
    ]


async def stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End the rounds, and wait until each has let go of the database."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def open_outside() -> OutsideVerifier:
    """The issuers that the operator trusts; their keys come through the one outbound door."""
    door = egress()

    async def fetch(url: str) -> bytes:
        try:
            return (await fetch_document(door, url)).body
        except UpstreamError as error:
            raise FetchFailed(error.detail) from None

    return OutsideVerifier(trusted_issuers(), fetch)


def open_directory() -> FreshDirectory:
    """The directory of the database in use."""
    reader = (
        SqliteReader(str(settings.DATABASES["default"]["NAME"]))
        if settings.EMBEDDED
        else PostgresReader(conninfo("app"))
    )
    threads = [ThreadPoolExecutor(1, f"snapshot-{number}") for number in range(LOADERS)]
    return FreshDirectory(reader, load_snapshot, threads)


def open_ledger() -> GroupCommit:
    """The ledger of the database in use."""
    if settings.EMBEDDED:
        return GroupCommit(SqliteWriter(str(settings.DATABASES["default"]["NAME"])))
    return GroupCommit(PostgresWriter(conninfo("ledger")))


def open_answers() -> PostgresAnswers | SqliteAnswers:
    """What requests with a key were answered before, in the database in use."""
    if settings.EMBEDDED:
        return SqliteAnswers(str(settings.DATABASES["default"]["NAME"]))
    return PostgresAnswers(conninfo("app"))


def open_limiter() -> Limiter:
    """Rate limits shared through Redis where it is set, else kept in this process."""
    return RedisLimiter(settings.REDIS_URL) if settings.REDIS_URL else MemoryLimiter()
