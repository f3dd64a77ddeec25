"""One document of the web, read through the one outbound door: keys and descriptions of issuers."""

import asyncio
from http import HTTPStatus
from typing import Final

from agentxsuite import __version__
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Web, locate
from agentxsuite.engines.upstream.errors import (
    EndpointInvalid,
    UpstreamProtocolError,
    UpstreamTimeout,
)
from agentxsuite.engines.upstream.http1 import Connection

MAX_DOCUMENT: Final = 256 * 1024  # bytes
SECONDS: Final = 5.0  # for everything, the look-up of the name included


async def fetch_document(egress: Egress, url: str, *, seconds: float = SECONDS) -> bytes:
    """GET a document of at most 256 KiB; any answer but 200 is none. Raises UpstreamError."""
    web = locate(url)
    if not isinstance(web, Web):
        raise EndpointInvalid("endpoint_scheme", "A document is read by https.")
    try:
        async with asyncio.timeout(seconds):
            return await _get(egress, web)
    except TimeoutError:
        detail = f"The document did not come within {seconds:g} seconds."
        raise UpstreamTimeout(detail, sent=True) from None


async def _get(egress: Egress, web: Web) -> bytes:
    connection = await egress.connect(web, Connection)
    try:
        answer = await connection.exchange(_request(web))
    finally:
        connection.abort()
    if answer.status != HTTPStatus.OK or answer.streaming:  # redirects are not followed
        raise UpstreamProtocolError(f"The answer is no document: status {answer.status}.")
    if len(answer.body) > MAX_DOCUMENT:
        raise UpstreamProtocolError(f"The document is larger than {MAX_DOCUMENT} bytes.")
    return answer.body


def _request(web: Web) -> bytes:
    lines = (
        f"GET {web.path} HTTP/1.1",
        f"host: {web.authority}",
        "accept: application/json",
        f"user-agent: agentxsuite/{__version__}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()
