"""One document of the web, from its own address and in time: keys of issuers, facts of clients."""

import asyncio
from http import HTTPStatus
from typing import Final

from agentxsuite.engines.upstream.egress import Egress
from agentxsuite.engines.upstream.errors import UpstreamProtocolError, UpstreamTimeout
from agentxsuite.engines.upstream.fetch import fetch
from agentxsuite.engines.upstream.http1 import Response

SECONDS: Final = 5.0  # for everything, the look-up of the name included


async def fetch_document(egress: Egress, url: str, *, seconds: float = SECONDS) -> Response:
    """GET a document of at most 256 KiB; any answer but 200 is none. Raises UpstreamError."""
    try:
        async with asyncio.timeout(seconds):
            answer = await fetch(egress, url)
    except TimeoutError:
        detail = f"The document did not come within {seconds:g} seconds."
        raise UpstreamTimeout(detail, sent=True) from None
    if answer.status != HTTPStatus.OK:  # redirects are not followed
        raise UpstreamProtocolError(f"The answer is no document: status {answer.status}.")
    return answer
