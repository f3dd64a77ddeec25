"""The ASGI application: the data plane's paths in raw ASGI, everything else in Django."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  -- only after set-up
from django.core.handlers.asgi import ASGIHandler  # noqa: E402  -- only after set-up
from django.urls import get_resolver  # noqa: E402  -- only after set-up

from agentxsuite.control.catalog.threads import in_thread  # noqa: E402  -- only after set-up
from agentxsuite.control.catalog.upstreams import open_upstreams  # noqa: E402  -- only after set-up
from agentxsuite.control.storage.partitions import (  # noqa: E402  -- only after set-up
    add_partitions,
)
from agentxsuite.control.storage.roles import check_roles  # noqa: E402  -- only after set-up
from agentxsuite.gateway.asgi import Gateway  # noqa: E402  -- only after set-up
from agentxsuite.gateway.hosts import Hosts  # noqa: E402  -- only after set-up
from agentxsuite.gateway.http import Receive, Scope, Send  # noqa: E402  -- only after set-up
from agentxsuite.project.files import with_files  # noqa: E402  -- only after set-up

HOURS = 6  # between two looks at the partitions

log = logging.getLogger(__name__)


class Application:
    """One process, one or both planes: ``plane`` is all, data or control."""

    def __init__(self, plane: str = "all") -> None:
        self._gateway = Gateway(Hosts(tuple(settings.ALLOWED_HOSTS)))
        self._control = with_files(ASGIHandler())
        self._plane = plane
        if plane != "data":
            get_resolver().url_patterns  # noqa: B018 - reads all views now, not under the first call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one connection to the plane that owns its path."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._is_data(scope["path"]):
            await self._gateway(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    def _is_data(self, path: str) -> bool:
        """Whether the data plane answers; without the other plane it answers everything."""
        return self._plane == "data" or (self._plane == "all" and self._gateway.owns(path))

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop as the server says (ASGI lifespan protocol)."""
        await receive()
        try:
            await in_thread(check_roles)
        except ImproperlyConfigured as error:
            return await send({"type": "lifespan.startup.failed", "message": str(error)})
        async with AsyncExitStack() as stack:
            keeping = asyncio.create_task(keep_partitions())
            stack.callback(keeping.cancel)
            upstreams = await stack.enter_async_context(open_upstreams())
            if self._plane != "control":
                await stack.enter_async_context(self._gateway.running(upstreams))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        return await send({"type": "lifespan.shutdown.complete"})


async def keep_partitions() -> None:
    """Make the months ahead, now and every few hours; what fails is tried again."""
    while True:
        try:
            for name in await in_thread(add_partitions):
                log.info("partition %s was added", name)
        except DatabaseError:
            log.exception("no partition could be added; the next try is in %d hours", HOURS)
        await asyncio.sleep(HOURS * 3600)


application = Application(settings.PLANE)
