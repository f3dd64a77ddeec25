"""The ASGI application: the data plane's paths in raw ASGI, everything else in Django."""

import os
from contextlib import AsyncExitStack

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  -- only after set-up
from django.core.handlers.asgi import ASGIHandler  # noqa: E402  -- only after set-up

from agentxsuite.control.catalog.upstreams import open_upstreams  # noqa: E402  -- only after set-up
from agentxsuite.gateway.asgi import Gateway  # noqa: E402  -- only after set-up
from agentxsuite.gateway.hosts import Hosts  # noqa: E402  -- only after set-up
from agentxsuite.gateway.http import Receive, Scope, Send  # noqa: E402  -- only after set-up


class Application:
    """One process, one or both planes: ``plane`` is all, data or control."""

    def __init__(self, plane: str = "all") -> None:
        self._gateway = Gateway(Hosts(tuple(settings.ALLOWED_HOSTS)))
        self._control = ASGIHandler()
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one connection to the plane that owns its path."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._is_data(scope["path"]):
            await self._gateway(scope, receive, send)
        else:
            # Django's stubs want a dict, which every ASGI server sends.
            await self._control(scope, receive, send)  # type: ignore[arg-type]  # as above

    def _is_data(self, path: str) -> bool:
        """Whether the data plane answers; without the other plane it answers everything."""
        return self._plane == "data" or (self._plane == "all" and self._gateway.owns(path))

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop as the server says (ASGI lifespan protocol)."""
        async with AsyncExitStack() as stack:
            await receive()
            upstreams = await stack.enter_async_context(open_upstreams())
            if self._plane != "control":
                await stack.enter_async_context(self._gateway.running(upstreams))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


application = Application(settings.PLANE)
