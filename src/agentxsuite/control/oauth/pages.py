"""Web pages as clients: browsers let any of them ask here and read the answer (Fetch, CORS).

Nothing here goes by a cookie: what a page could learn or do so, every program could.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

SENT: Final = "Authorization, Content-Type, MCP-Protocol-Version"
LASTING: Final = "600"  # seconds

View = Callable[..., HttpResponse]


def for_pages(view: View, methods: tuple[str, ...]) -> View:
    """Return what answers pages as `view` does, and says before what they may send."""

    def answer(request: HttpRequest, **path: str) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse()
            response["Access-Control-Allow-Methods"] = ", ".join(methods)
            response["Access-Control-Allow-Headers"] = SENT
            response["Access-Control-Max-Age"] = LASTING
        else:
            response = view(request, **path)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return answer
