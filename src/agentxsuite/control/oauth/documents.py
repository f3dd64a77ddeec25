"""Client ID Metadata Documents: a client is an https address that tells about it.

They are fetched through the one outbound door: checked addresses, no redirects, one deadline.
"""

import asyncio
import re
from typing import Final
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from oauth2_provider.cimd import CIMDError

from agentxsuite import wire
from agentxsuite.control.catalog.upstreams import egress
from agentxsuite.control.oauth.registration import Refused, read
from agentxsuite.engines.upstream import UpstreamError
from agentxsuite.engines.upstream.endpoint import Web
from agentxsuite.engines.upstream.http1 import Connection, Response

SECONDS: Final = 5.0
LARGEST: Final = 16 * 1024  # bytes
SHORTEST, LONGEST = 300, 24 * 3600  # seconds that a document counts
FOUND: Final = 200
HTTPS: Final = 443
MAX_AGE: Final = re.compile(rb"max-age\s*=\s*(\d{1,9})")
PLAIN: Final = re.compile(r"[!-~]{1,255}")


class Fetcher:
    """What the toolkit asks for a client that it does not know, or not any more."""

    def fetch(self, client_id: str) -> tuple[dict[str, wire.JSON], int]:
        """Return a client's document and the seconds for which it counts; raises CIMDError."""
        web = locate(client_id)
        try:
            response = async_to_sync(get)(web)
        except (UpstreamError, TimeoutError) as error:
            raise CIMDError(f"the document cannot be fetched: {error}") from None
        return document(response), lifetime(response.headers.get(b"cache-control", b"").lower())


def locate(client_id: str) -> Web:
    """Return where a client's document is; raises CIMDError for what is no client's address."""
    try:
        parts = urlsplit(client_id)
        port = parts.port or HTTPS
    except ValueError:
        raise CIMDError("the client's id is no address") from None
    plain = PLAIN.fullmatch(client_id) and "#" not in client_id and "@" not in parts.netloc
    dots = {".", ".."} & {*parts.path.split("/")}
    if not plain or parts.scheme != "https" or not parts.hostname or not parts.path or dots:
        raise CIMDError("the client's id is no https address with a path")
    return Web(
        "https", parts.hostname, port, parts.path + (f"?{parts.query}" if parts.query else "")
    )


async def get(web: Web) -> Response:
    """Ask once, over a connection of its own; raises UpstreamError or TimeoutError."""
    head = f"GET {web.path} HTTP/1.1\r\nHost: {web.authority}\r\n"
    lines = "Accept: application/json\r\nUser-Agent: agentxsuite\r\nConnection: close\r\n\r\n"
    async with asyncio.timeout(SECONDS):
        connection = await egress().connect(web, Connection)
        try:
            return await connection.exchange(f"{head}{lines}".encode("ascii"))
        finally:
            connection.abort()


def document(response: Response) -> dict[str, wire.JSON]:
    """Return the document in an answer, in the shape the toolkit reads; raises CIMDError."""
    if response.status != FOUND or len(response.body) > LARGEST:
        raise CIMDError(f"the client's address answered {response.status}")
    if response.kind != b"application/json" and not response.kind.endswith(b"+json"):
        raise CIMDError("the client's document is not JSON")
    try:
        found = wire.loads(response.body)
        if not isinstance(found, dict):
            raise CIMDError("the client's document is no object")
        read(found)
    except (wire.WireError, Refused) as error:
        raise CIMDError(f"the client's document is not acceptable: {error}") from None
    return found


def lifetime(control: bytes) -> int:
    """Return for how many seconds a document counts, by its Cache-Control (RFC 9111)."""
    if b"no-store" in control or b"no-cache" in control:
        return SHORTEST
    found = MAX_AGE.search(control)
    return max(SHORTEST, min(int(found[1]), LONGEST)) if found else LONGEST
