"""Every way the control plane says no; each becomes one `application/problem+json` (RFC 9457).

Problem
├── Invalid        400   the request does not say what it must; `errors` tells where
├── Forbidden      403   seen, but not with this role
├── NotFound       404   not there, or not for you: the same words for both
├── Conflict       409   something else has that name, or stands in the way
│   ├── InFlight         a request with this key is being answered
│   └── AlreadyCreated   one was, and its answer is not shown again
├── KeyReused      422   another request had this key
├── TooLarge       413   the body is beyond the cap
├── Throttled      429   too often; `retry_after` says when to come back
└── Unavailable    503   the database does not answer; nothing was changed
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypedDict

from agentxsuite.wire import JSON


class Fault(TypedDict):
    """One thing wrong with a request: `path` is a JSON Pointer (RFC 6901) into the body."""

    path: str
    message: str


class Problem(Exception):
    """A request that is not done as asked; `code` is stable, `detail` is one sentence."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, code: str, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = list(errors)

    def document(self) -> dict[str, JSON]:
        """Return the members of the problem document."""
        document: dict[str, JSON] = {
            "type": f"urn:agentxsuite:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return document | {"errors": self.errors} if self.errors else document

    def headers(self) -> Mapping[str, str]:
        """Return the HTTP headers that belong to the answer."""
        return {}


class Invalid(Problem):
    """The request does not say what it must."""

    status = 400
    title = "Bad request"

    def __init__(
        self, detail: str, errors: Sequence[Fault] = (), *, code: str = "invalid_request"
    ) -> None:
        super().__init__(code, detail, errors)

    @classmethod
    def at(cls, path: str, message: str) -> "Invalid":
        """Return the problem of one field; `path` is a JSON Pointer."""
        return cls(f"{path}: {message}", [{"path": path, "message": message}])


class Forbidden(Problem):
    """The caller sees it, but may not do that to it."""

    status = 403
    title = "Not allowed"

    def __init__(self, detail: str, *, code: str = "forbidden") -> None:
        super().__init__(code, detail)


class NotFound(Problem):
    """Missing or foreign; it takes no words, so that nobody learns which."""

    status = 404
    title = "Not found"

    def __init__(self) -> None:
        super().__init__("not_found", "There is nothing here that you may see.")


class Conflict(Problem):
    """What is there already does not allow it."""

    status = 409
    title = "Conflict"

    def __init__(self, detail: str, *, code: str = "conflict") -> None:
        super().__init__(code, detail)


class InFlight(Conflict):
    """A request with this `Idempotency-Key` is being answered."""

    def __init__(self) -> None:
        told = "A request with this Idempotency-Key is still being answered: ask again."
        super().__init__(told, code="idempotency_in_flight")

    def headers(self) -> Mapping[str, str]:
        """Return `Retry-After` in whole seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": "1"}


class AlreadyCreated(Conflict):
    """A request with this `Idempotency-Key` was done; `made` is the id of what came of it."""

    def __init__(self, made: str) -> None:
        told = "This was done before, and what was answered is not shown again."
        super().__init__(told, code="already_created")
        self.made = made

    def document(self) -> dict[str, JSON]:
        """Return the members of the problem document, the id among them where there is one."""
        return super().document() | ({"id": self.made} if self.made else {})


class KeyReused(Problem):
    """Another request of this caller had this `Idempotency-Key`."""

    status = 422
    title = "Key used before"

    def __init__(self) -> None:
        told = "This Idempotency-Key belongs to another request: take a new one."
        super().__init__("idempotency_key_reused", told)


class TooLarge(Problem):
    """The body is beyond the cap."""

    status = 413
    title = "Too large"

    def __init__(self, most: int) -> None:
        super().__init__("body_too_large", f"The body is larger than {most} bytes.")


class Throttled(Problem):
    """Too often; `retry_after` is in seconds."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: float, *, code: str = "rate_limited") -> None:
        super().__init__(code, detail)
        self.retry_after = max(1, -int(-retry_after // 1))

    def document(self) -> dict[str, JSON]:
        """Return the members of the problem document, the wait among them."""
        return super().document() | {"retry_after": self.retry_after}

    def headers(self) -> Mapping[str, str]:
        """Return `Retry-After` in whole seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": str(self.retry_after)}


class Unavailable(Problem):
    """The database does not answer; nothing was changed."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("database_unavailable", "The database does not answer; try again.")

    def headers(self) -> Mapping[str, str]:
        """Return `Retry-After` in whole seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": "1"}


class TooManyWaiting(Problem):
    """Too many others wait for servers that are slow; nothing was done."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("too_crowded", "Too many requests wait for other servers; try again.")

    def headers(self) -> Mapping[str, str]:
        """Return `Retry-After` in whole seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": "5"}
