"""The process's one set of upstreams, made as the operator's settings say."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction

from agentxsuite.control.catalog.renewing import renewed
from agentxsuite.control.problems import Problem
from agentxsuite.engines.upstream import Egress, Template, Upstreams, load_templates

_open: list[Upstreams] = []


class NotServing(Problem):
    """The process has no upstreams: it is starting or stopping, or it is no server."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("upstreams_closed", "No upstream can be reached from here at the moment.")


@asynccontextmanager
async def open_upstreams() -> AsyncIterator[Upstreams]:
    """Open the upstreams, which are the process's `current()` ones until the block is left.

    Raises ValueError for an EGRESS_ALLOW, TemplateInvalid or OSError for a STDIO_TEMPLATES, that
    the operator must correct.
    """
    async with Upstreams(egress(), templates(), renew=renewed) as opened:
        _open.append(opened)
        try:
            yield opened
        finally:
            _open.remove(opened)


def current() -> Upstreams:
    """Return the upstreams of this process; raises NotServing."""
    if not _open:
        raise NotServing
    return _open[-1]


def egress() -> Egress:
    """Return the one outbound door, open as far as EGRESS_ALLOW says."""
    return Egress(settings.EGRESS_ALLOW)


def templates() -> Mapping[str, Template]:
    """Return the operator's command templates."""
    return load_templates(Path(settings.STDIO_TEMPLATES)) if settings.STDIO_TEMPLATES else {}


def let_go(endpoint_id: UUID | str) -> None:
    """Close what this process keeps open of a connection, or for one person, after the commit."""

    def close() -> None:
        if _open:
            async_to_sync(_open[-1].forget)(str(endpoint_id))

    transaction.on_commit(close, robust=True)
