"""Requests to the REST API, and what comes back: JSON, or a Failure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx2

from agentxsuite import __version__, wire
from agentxsuite.cli.failures import NotLoggedIn, Refused, Unreachable
from agentxsuite.cli.hints import hint_for
from agentxsuite.cli.logins import is_here
from agentxsuite.cli.rows import Row
from agentxsuite.wire import JSON

CONNECT: Final = 5.0  # seconds
PATIENCE: Final = 120.0  # seconds for an answer: a sync waits for somebody else's server
PAGE: Final = 200  # rows; the most that the API gives at once
UNAUTHORIZED: Final = 401


class Api:
    """One server and, where there is one, the login to it; paths are below `/api/v1/`."""

    def __init__(self, server: str, token: str | None = None) -> None:
        self.server = server
        self._token = token
        self._http = httpx2.Client(
            base_url=f"{server}/api/v1/",
            headers={"User-Agent": f"agentxsuite-cli/{__version__}", "Accept": "application/json"},
            timeout=httpx2.Timeout(PATIENCE, connect=CONNECT),
            trust_env=not is_here(server),  # a proxy is never between us and this machine
            follow_redirects=False,  # the token is for this server alone
        )
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, path: str, **filters: Any) -> Any:
        """Read one thing; filters that are None are left out."""
        return self._ask("GET", path, params=_given(filters))

    def post(self, path: str, body: Mapping[str, JSON] | None = None, **how: Any) -> Any:
        """Make or do something; `how` may hold `headers` and `timeout`."""
        return self._ask("POST", path, body, **how)

    def patch(self, path: str, body: Mapping[str, JSON]) -> Any:
        """Change what is named."""
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Delete one thing."""
        self._ask("DELETE", path)

    def every(self, path: str, most: int | None = None, **filters: Any) -> list[Row]:
        """Read a list, page by page, to its end or up to `most` rows."""
        return list(self._rows(path, most, _given(filters)))

    def _rows(self, path: str, most: int | None, filters: dict[str, Any]) -> Iterator[Row]:
        left = most
        params = {**filters, "page_size": min(PAGE, left or PAGE)}
        while True:
            page = self._ask("GET", path, params=params)
            rows = page["results"][:left]
            yield from rows
            left = None if left is None else left - len(rows)
            if not page["next"] or left == 0:
                return
            # Only what the next page is asked by: where to is ours to say.
            params = dict(parse_qsl(urlsplit(page["next"]).query))

    def _ask(
        self, method: str, path: str, body: Mapping[str, JSON] | None = None, **how: Any
    ) -> Any:
        headers = how.pop("headers", {})
        if body is not None:
            how["content"] = wire.dumps(body)
            headers = {**headers, "Content-Type": "application/json"}
        try:
            answer = self._http.request(method, path, headers=headers, **how)
        except httpx2.TimeoutException:
            raise Unreachable(*self._silent(method), "timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            hint = "is it running, and is --server right?"
            raise Unreachable(f"{self.server} does not answer: {_reason(error)}", hint) from None
        return self._read(answer)

    def _silent(self, method: str) -> tuple[str, str]:
        hint = "agentxsuite runs list and audit list show what was done" if method != "GET" else ""
        return f"{self.server} did not answer in time", hint

    def _read(self, answer: httpx2.Response) -> Any:
        if answer.is_success and not answer.content:
            return None
        try:
            told = wire.loads(answer.content)
        except wire.WireError:
            told = None
        if answer.is_success and told is not None:
            return told
        if not isinstance(told, dict) or "code" not in told:
            raise self._stranger(answer)
        if answer.status_code == UNAUTHORIZED and self._token:
            raise NotLoggedIn(f"the login to {self.server} is over: {told['detail']}", self.server)
        raise Refused(told, hint_for(told))

    def _stranger(self, answer: httpx2.Response) -> Unreachable:
        where = answer.headers.get("location", "")
        detail = f"{self.server} answers ({answer.status_code}), but not as AgentxSuite does"
        hint = f"it points to {where}" if where else "is --server right?"
        return Unreachable(detail, hint, "not_agentxsuite")


def _given(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
