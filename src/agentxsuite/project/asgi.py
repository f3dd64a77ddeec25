"""The ASGI application: the data plane's paths in raw ASGI, everything else in Django."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import Error

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  -- only after set-up
from django.core.handlers.asgi import ASGIHandler  # noqa: E402  -- only after set-up
from django.urls import get_resolver  # noqa: E402  -- only after set-up

from agentxsuite.control.agents.issuers import (  # noqa: E402  -- only after set-up
    trusted_issuers,
)
from agentxsuite.control.catalog.threads import in_thread  # noqa: E402  -- only after set-up
from agentxsuite.control.catalog.upstreams import open_upstreams  # noqa: E402  -- only after set-up
from agentxsuite.control.storage.partitions import (  # noqa: E402  -- only after set-up
    add_partitions,
)
from agentxsuite.control.storage.roles import check_roles  # noqa: E402  -- only after set-up
from agentxsuite.control.tenancy.tries import counted_together  # noqa: E402  -- only after set-up
from agentxsuite.gateway.asgi import PROBES, Gateway  # noqa: E402  -- only after set-up
from agentxsuite.gateway.hosts import Hosts  # noqa: E402  -- only after set-up
from agentxsuite.gateway.http import (  # noqa: E402  -- only after set-up
    Receive,
    Scope,
    Send,
    problem,
)
from agentxsuite.gateway.refusals import Refusal  # noqa: E402  -- only after set-up
from agentxsuite.gateway.sse import END_STREAMS  # noqa: E402  -- only after set-up
from agentxsuite.project.files import with_files  # noqa: E402  -- only after set-up
from agentxsuite.project.knocking import Knocking  # noqa: E402  -- only after set-up
from agentxsuite.project.places import Places  # noqa: E402  -- only after set-up
from agentxsuite.project.proxies import Proxies  # noqa: E402  -- only after set-up
from agentxsuite.project.readiness import check_database  # noqa: E402  -- only after set-up

LOOK_AGAIN = 6 * 3600.0  # seconds between two looks at the partitions
TRY_AGAIN = 5 * 60.0  # seconds after one that failed

log = logging.getLogger(__name__)


class Application:
    """One process, one or both planes: ``plane`` is all, data or control."""

    def __init__(self, plane: str = "all") -> None:
        ready = check_database if plane == "control" else None
        self._gateway = Gateway(Hosts(tuple(settings.ALLOWED_HOSTS)), ready)
        self._control = with_files(Knocking(Places(ASGIHandler())))
        self._proxies = Proxies(settings.TRUSTED_PROXIES, settings.MTLS_HEADER)
        self._plane = plane
        if plane != "data":
            get_resolver().url_patterns  # noqa: B018 - reads all views now, not under the first call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one connection to the plane that owns its path."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, about whose caller the proxies have had their say."""
        try:
            scope = self._proxies.seen(scope)
        except Refusal as refusal:
            await problem(send, refusal)
        else:
            answering = self._gateway if self._is_data(scope["path"]) else self._control
            await answering(scope, receive, send)

    def _is_data(self, path: str) -> bool:
        """Whether the data plane answers: alone it answers everything, elsewhere only probes."""
        if self._plane == "control":
            return path in PROBES
        return self._plane == "data" or self._gateway.owns(path)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop as the server says (ASGI lifespan protocol).

        In the protocol's shared state the server finds how to end what would never end by itself.
        """
        await receive()
        scope.setdefault("state", {})[END_STREAMS] = self._gateway.end_streams
        try:
            await in_thread(check_roles)
            trusted_issuers()
        except ImproperlyConfigured as error:
            return await send({"type": "lifespan.startup.failed", "message": str(error)})
        async with AsyncExitStack() as stack:
            keeping = asyncio.create_task(keep_partitions())
            stack.callback(keeping.cancel)
            await stack.enter_async_context(counted_together())
            upstreams = await stack.enter_async_context(open_upstreams())
            if self._plane != "control":
                await stack.enter_async_context(self._gateway.running(upstreams))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        return await send({"type": "lifespan.shutdown.complete"})


async def keep_partitions() -> None:
    """Make the months ahead, now and every few hours; what fails is tried again within minutes."""
    while True:
        pause = await look_at_partitions()
        await asyncio.sleep(pause)


async def look_at_partitions(add: Callable[[], list[str]] = add_partitions) -> float:
    """Add what is missing; returns the seconds until somebody should look again."""
    try:
        for name in await in_thread(add):
            log.info("partition %s was added", name)
    except Error:
        log.exception("no partition could be added; the next try is in %d s", TRY_AGAIN)
        return TRY_AGAIN
    return LOOK_AGAIN


application = Application(settings.PLANE)
