"""Client ID Metadata Documents: a client is an https address that tells about it.

They are fetched through the one outbound door: checked addresses, no redirects, one deadline.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from oauth2_provider.cimd import CIMDError

from agentxsuite import wire
from agentxsuite.control.catalog.upstreams import egress
from agentxsuite.control.oauth.registration import Refused, read
from agentxsuite.engines.upstream import Response, UpstreamError, fetch_document

LARGEST: Final = 16 * 1024  # bytes
SHORTEST, LONGEST = 300, 24 * 3600  # seconds that a document counts
MAX_AGE: Final = re.compile(rb"max-age\s*=\s*(\d{1,9})")
PLAIN: Final = re.compile(r"[!-~]{1,255}")


class Fetcher:
    """What the toolkit asks for a client that it does not know, or not any more."""

    def fetch(self, client_id: str) -> tuple[dict[str, wire.JSON], int]:
        """Return a client's document and the seconds for which it counts; raises CIMDError."""
        check(client_id)
        try:
            response = async_to_sync(fetch_document)(egress(), client_id)
        except UpstreamError as error:
            raise CIMDError(f"the document cannot be fetched: {error}") from None
        return document(response), lifetime(response.headers.get(b"cache-control", b"").lower())


def check(client_id: str) -> None:
    """Raise CIMDError for an id that is no client's address."""
    try:
        parts = urlsplit(client_id)
        somewhere = parts.hostname and parts.port != 0
    except ValueError:
        raise CIMDError("the client's id is no address") from None
    plain = PLAIN.fullmatch(client_id) and "#" not in client_id and "@" not in parts.netloc
    dots = {".", ".."} & {*parts.path.split("/")}
    if not plain or parts.scheme != "https" or not somewhere or not parts.path or dots:
        raise CIMDError("the client's id is no https address with a path")


def document(response: Response) -> dict[str, wire.JSON]:
    """Return the document in an answer, in the shape the toolkit reads; raises CIMDError."""
    if len(response.body) > LARGEST:
        raise CIMDError(f"the client's document is larger than {LARGEST} bytes")
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
