"""The ASGI application: the data plane's paths in raw ASGI, everything else in Django."""

import os
from contextlib import AsyncExitStack

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentxsuite.project.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  -- only after set-up
from django.core.handlers.asgi import ASGIHandler  # noqa: E402

from agentxsuite.gateway.asgi import Gateway  # noqa: E402
from agentxsuite.gateway.hosts import Hosts  # noqa: E402
from agentxsuite.gateway.http import Receive, Scope, Send  # noqa: E402


class Application:
    """One process, one or both planes."""

    def __init__(self) -> None:
        self._gateway = Gateway(Hosts(settings.ALLOWED_HOSTS))
        self._control = ASGIHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one connection to the plane that owns its path."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._gateway.owns(scope["path"]):
            await self._gateway(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop as the server says (ASGI lifespan protocol)."""
        async with AsyncExitStack() as stack:
            await receive()
            await stack.enter_async_context(self._gateway.running())
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


application = Application()
