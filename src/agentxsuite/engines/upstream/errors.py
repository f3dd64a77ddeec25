"""Every way an upstream can fail us.

UpstreamError
├── EndpointInvalid         the address itself is unusable; found before anything is opened
├── EgressDenied            the outbound door stays shut for this address
├── UpstreamUnavailable     refused, unresolvable, died, hung up
│   ├── SessionLost         the conversation is gone and the request was not processed
│   └── StaleConnection     a socket used before was closed without a byte of answer
├── UpstreamTimeout         the deadline passed
├── UpstreamProtocolError   it answered, but not in the language we agreed on
│   └── CredentialRefused   it does not take what we show; the request was not processed
├── AccessRefused           an authorization server lends us no access
│   └── AccountOver         nor to the account of the person who calls, any more
└── UpstreamRpcError        it answered with a JSON-RPC error of its own
"""

from agentxsuite.wire import JSON


class UpstreamError(Exception):
    """A call that brought no result; ``sent`` says whether it may have reached the upstream.

    ``code`` is stable and for machines, ``detail`` is one plain sentence without credentials.
    """

    code = "upstream_error"

    def __init__(self, detail: str, *, sent: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.sent = sent


class EndpointInvalid(UpstreamError):
    """An address that can never work, seen while reading it; ``code`` says what is wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class EgressDenied(UpstreamError):
    """An address that this installation does not let anyone reach."""

    code = "egress_denied"


class UpstreamUnavailable(UpstreamError):
    """Nobody answers there, or the answer broke off."""

    code = "upstream_unavailable"


class SessionLost(UpstreamUnavailable):
    """The upstream no longer knows our conversation; the request was certainly not processed."""


class StaleConnection(UpstreamUnavailable):
    """A kept-alive socket died under the request: perhaps unseen, perhaps not."""


class UpstreamTimeout(UpstreamError):
    """The deadline passed before the answer was complete."""

    code = "upstream_timeout"


class UpstreamProtocolError(UpstreamError):
    """An answer that is not the MCP we understand: bad JSON, wrong id, too large, HTTP 5xx."""

    code = "upstream_protocol"


class CredentialRefused(UpstreamProtocolError):
    """HTTP 401: what we show is not taken, and so nothing was done."""


class AccessRefused(UpstreamError):
    """The authorization server said no; ``error`` is its word (RFC 6749 section 5.2)."""

    code = "access_refused"

    def __init__(self, detail: str, error: str) -> None:
        super().__init__(detail)
        self.error = error


class AccountOver(AccessRefused):
    """What a person lent is withdrawn, used up or gone: only they can lend it again."""


class UpstreamRpcError(UpstreamError):
    """The upstream's own JSON-RPC error: its code, its message, its data."""

    code = "upstream_rpc"

    def __init__(self, rpc_code: int, message: str, data: JSON = None) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.message = message
        self.data = data
