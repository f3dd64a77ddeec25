"""Every way to say no, and how each door says it.

Refusal
├── Unauthenticated       401   HTTP 401 at both doors
├── InsufficientScope     403   HTTP 403 at both doors
├── Unknown               404   -32602
├── Denied                403   a result with isError, or -32602 for a tool that is not listed
├── Throttled             429   a result with isError
├── Invalid               400   a result with isError
├── Contradicted          400   -32020
├── StateRefused          400   -32602
├── InFlight              409   a result with isError
├── KeyReused             422   a result with isError
├── RunCancelled          409   a result with isError
├── Malformed             400   -32600 / -32700: the request itself, not the tool's arguments
│   └── TooLarge          413
├── Unavailable           503   a result with isError
│   ├── NotRecorded             it is certain that nothing is on record: too much waits already
│   │   └── Unrecordable        the database refused this very change
│   └── NeverSent               what the record says of a run that was given up before it was sent
├── UpstreamFailed        502   a result with isError
│   ├── OutcomeUnknown
│   └── UpstreamRefused         of a resource, a prompt, a completion: the upstream's own error
└── UpstreamTimedOut      504   a result with isError

``code`` is stable and listed in docs/api/errors.md. ``outcome`` is what a run that ends so records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from agentxsuite.wire import JSON


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose credential it was, where that much is proven: evidence of its misuse."""

    organization: str
    environment: str
    agent: str
    token_id: str | None = None


class Refusal(Exception):
    """A call that is not answered as asked; ``detail`` is one sentence for a person or a model."""

    status: ClassVar[int]
    title: ClassVar[str]
    code: str
    outcome: ClassVar[str | None] = None

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after: float | None = None
        self.errors: Sequence[Mapping[str, JSON]] = ()
        self.recorded: Recorded | None = None
        self.replayed = False  # whether this is what the same request was told before
        self.bearer: Bearer | None = None

    def members(self) -> dict[str, JSON]:
        """What else a caller may know, as extra members of the answer."""
        return {} if self.retry_after is None else {"retry_after": self.retry_after}


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a refusal stands on record: ids to quote when asking why."""

    run_id: str | None
    decision_id: str


class Unauthenticated(Refusal):
    """No credential, or none we accept; ``bearer`` is whose it was, where that is certain."""

    status = 401
    title = "Authentication needed"

    def __init__(self, code: str, detail: str, bearer: Bearer | None = None) -> None:
        super().__init__(code, detail)
        self.bearer = bearer


class InsufficientScope(Refusal):
    """The token is good, but was not issued for this."""

    status = 403
    title = "Token lacks scope"
    outcome = "denied"

    def __init__(self, scope: str) -> None:
        super().__init__("insufficient_scope", f"This token lacks the scope '{scope}'.")
        self.scope = scope


class Unknown(Refusal):
    """No such thing, or none that the caller may know of."""

    status = 404
    title = "Not found"


class Denied(Refusal):
    """A policy, or a fact that no policy overrides, says no.

    ``listed``: whether some arguments could make the tool callable, so that it is no secret.
    ``advice``: what else this caller may know, as members of the answer.
    """

    status = 403
    title = "Denied"
    outcome = "denied"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        listed: bool,
        paths: Sequence[str] = (),
        advice: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.listed = listed
        self.paths = paths
        self.advice = advice or {}

    def members(self) -> dict[str, JSON]:
        """The paths that the conditions looked at, never a value; and what helps this caller."""
        paths: dict[str, JSON] = {"paths": list(self.paths)} if self.paths else {}
        return paths | dict(self.advice)


class Throttled(Refusal):
    """Too often; ``retry_after`` is in seconds."""

    status = 429
    title = "Too many requests"
    outcome = "throttled"

    def __init__(self, code: str, detail: str, retry_after: float) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class Invalid(Refusal):
    """The tool's arguments do not fit its schema; ``errors`` says where."""

    status = 400
    title = "Invalid input"
    outcome = "invalid"

    def __init__(self, detail: str, errors: Sequence[Mapping[str, JSON]]) -> None:
        super().__init__("invalid_arguments", detail)
        self.errors = errors


class Contradicted(Refusal):
    """A header repeats an argument, and says something else than the body."""

    status = 400
    title = "Header mismatch"
    outcome = "invalid"

    def __init__(self, header: str) -> None:
        sentence = f"The header {header} does not agree with the arguments."
        super().__init__("header_mismatch", sentence)


class StateRefused(Refusal):
    """What a caller brings to go on with a call is not what it was given, or is too old."""

    status = 400
    title = "State refused"
    outcome = "invalid"

    def __init__(self) -> None:
        sentence = "This answer comes too late, or belongs to another question: start again."
        super().__init__("request_state_refused", sentence)


class InFlight(Refusal):
    """A request with this key is running; ``retry_after`` is in seconds."""

    status = 409
    title = "Still running"
    outcome = "throttled"

    def __init__(self, retry_after: float = 1.0) -> None:
        sentence = "A request with this Idempotency-Key is still running: ask again."
        super().__init__("idempotency_in_flight", sentence)
        self.retry_after = retry_after


class KeyReused(Refusal):
    """Another request had this key."""

    status = 422
    title = "Key used before"
    outcome = "invalid"

    def __init__(self) -> None:
        sentence = "This Idempotency-Key belongs to another request: take a new one."
        super().__init__("idempotency_key_reused", sentence)


class RunCancelled(Refusal):
    """A person stopped the run; what the tool had done by then is not known."""

    status = 409
    title = "Run cancelled"
    outcome = "cancelled"

    def __init__(self, detail: str = "The run was cancelled while the tool worked.") -> None:
        super().__init__("run_cancelled", detail)


class Malformed(Refusal):
    """The request is not one we can read; ``errors`` says where."""

    status = 400
    title = "Bad request"

    def __init__(self, code: str, detail: str, errors: Sequence[Mapping[str, JSON]] = ()) -> None:
        super().__init__(code, detail)
        self.errors = errors


class TooLarge(Malformed):
    """The request's body is beyond the cap."""

    status = 413
    title = "Too large"


class Unavailable(Refusal):
    """Something needed for a safe answer is down."""

    status = 503
    title = "Temporarily unavailable"
    outcome = "denied"

    def __init__(self, code: str, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class NotRecorded(Unavailable):
    """The ledger did not take a change: whatever comes later, nothing of it is on record."""

    def __init__(self, detail: str = "Too many calls wait to be recorded: try again.") -> None:
        super().__init__("ledger_unavailable", detail)


class Unrecordable(NotRecorded):
    """The database was there and refused the change, which it will do again."""

    def __init__(self) -> None:
        super().__init__("The record cannot be written: try again.")


class NeverSent(Unavailable):
    """Its start may or may not be on record; either way the tool was not called."""

    outcome = "worker_lost"

    def __init__(self) -> None:
        super().__init__("ledger_unavailable", "The run was given up before the tool was called.")


class UpstreamFailed(Refusal):
    """The upstream could not be reached, or did not answer as MCP says."""

    status = 502
    title = "Upstream failed"
    outcome = "upstream_error"


class OutcomeUnknown(UpstreamFailed):
    """The tool was called, and the record does not know how that ended."""

    outcome = "outcome_unknown"

    def __init__(self, detail: str = "") -> None:
        sentence = "The tool was called, but whether it took effect is not known."
        super().__init__("outcome_unknown", detail or sentence)


class UpstreamRefused(UpstreamFailed):
    """The upstream answered with an error of its own, which MCP clients are handed as it came."""

    def __init__(self, detail: str, rpc_code: int, message: str, data: JSON) -> None:
        super().__init__("upstream_rpc", detail)
        self.rpc_code = rpc_code
        self.message = message
        self.data = data


class UpstreamTimedOut(Refusal):
    """The upstream did not answer within the call's timeout."""

    status = 504
    title = "Upstream timed out"
    outcome = "timeout"
