"""One request to a web server that is no MCP server, through the one outbound door."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from agentxsuite import __version__, wire
from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.endpoint import Web, locate
from agentxsuite.engines.upstream.errors import (
    EndpointInvalid,
    UpstreamProtocolError,
    UpstreamTimeout,
)
from agentxsuite.engines.upstream.http1 import Connection, Response
from agentxsuite.engines.upstream.http_words import JSON_TYPE
from agentxsuite.wire import JSON

SECONDS: Final = 10.0  # for connecting, sending and the whole answer
MOST: Final = 256 * 1024  # bytes of an answer; one of these is never long


async def fetch(
    egress: Egress, url: str, form: Mapping[str, str] | None = None, authorization: str = ""
) -> Response:
    """GET an address, or POST a form to it; nobody follows redirects. Raises UpstreamError."""
    web = locate(url)
    if not isinstance(web, Web) or web.sse:
        raise EndpointInvalid("endpoint_scheme", "This is read by https alone.")
    try:
        async with asyncio.timeout(SECONDS):
            response = await _exchanged(egress, web, _request(web, form, authorization))
    except TimeoutError:
        raise UpstreamTimeout("The server did not answer in time.") from None
    if response.streaming or len(response.body) > MOST:
        raise UpstreamProtocolError(f"The answer is too long: more than {MOST} bytes, or a stream.")
    return response


def read_object(response: Response) -> dict[str, JSON]:
    """The JSON object that an answer is; raises UpstreamProtocolError."""
    try:
        found = wire.loads(response.body) if response.kind == JSON_TYPE else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UpstreamProtocolError("The authorization server does not answer with JSON.")
    return found


async def _exchanged(egress: Egress, web: Web, request: bytes) -> Response:
    connection = await egress.connect(web, Connection)
    try:
        return await connection.exchange(request)
    finally:
        connection.abort()


def _request(web: Web, form: Mapping[str, str] | None, authorization: str) -> bytes:
    body = b"" if form is None else urlencode(form).encode()
    lines = [
        f"{'GET' if form is None else 'POST'} {web.path} HTTP/1.1",
        f"Host: {web.authority}",
        f"User-Agent: agentxsuite/{__version__}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    if form is not None:
        lines.append("Content-Type: application/x-www-form-urlencoded")
    if authorization:
        lines.append(f"Authorization: {authorization}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
