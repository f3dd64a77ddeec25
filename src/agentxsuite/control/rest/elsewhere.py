"""Waiting for somebody else's server, and keeping nobody here from being answered meanwhile."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from asgiref.sync import async_to_sync
from django.db import close_old_connections
from django.http import HttpRequest
from rest_framework.request import Request

PLACE: Final = "agentxsuite.place"  # in the ASGI scope: what a request holds of the server

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Place(Protocol):
    """One of the few places for requests that are being answered."""

    def given_back(self) -> AbstractAsyncContextManager[None]:
        """Let somebody else have it for as long as the block takes."""


def wait_for(
    request: Request | HttpRequest,
    work: Callable[Arguments, Awaitable[Result]],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Result:
    """Do what waits for another server, holding neither a place nor a database connection.

    It runs on the server's own loop, which the upstreams' sockets belong to.
    """
    close_old_connections()
    place: Place | None = getattr(request, "scope", {}).get(PLACE)
    away = place.given_back() if place else nullcontext()
    return async_to_sync(_within)(away, partial(work, *args, **kwargs))


async def _within(
    away: AbstractAsyncContextManager[Any], work: Callable[[], Awaitable[Result]]
) -> Result:
    async with away:
        return await work()
