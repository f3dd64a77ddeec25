"""Where an upstream is: the endpoint as stored, and its address taken apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from agentxsuite.engines.upstream.errors import EndpointInvalid
from agentxsuite.engines.upstream.grant import Client

_DEFAULT_PORTS = {"https": 443, "http": 80}
_SSE = "sse+"  # before the scheme of the deprecated transport
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PRINTABLE = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2048}")  # no space, no control, no backslash
_TEMPLATE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]{0,8192}")
_OUR_HEADERS = re.compile(
    r"(?i)(accept|accept-encoding|connection|content-.*|expect|host|keep-alive|mcp-.*|proxy-.*|te"
    r"|trailer|transfer-encoding|upgrade|user-agent)"
)
_MAX_PARAMETERS = 32
_OF = "/"  # in an id: between the connection and the person whose account is used there


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """One connection's upstream; ``secret`` goes to a stdio server.

    ``id`` is the connection's, or with the account of a person what ``lent_by`` makes of both.

    ``headers`` are all that is sent besides the protocol's own; with a ``client`` an access token
    is asked for, which is. The repr shows no credential.
    """

    id: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    secret: str | None = None
    client: Client | None = None

    def bearing(self, token: str) -> Self:
        """The same, with an access token to show (RFC 6750 section 2.1)."""
        return replace(self, headers=(("Authorization", f"Bearer {token}"),))

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r})"


@dataclass(frozen=True, slots=True)
class Web:
    """An address spoken to over HTTP; ``sse`` by the transport of 2024-11-05."""

    scheme: str
    host: str
    port: int
    path: str
    sse: bool = False

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9112 section 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Command:
    """An address that names one of the operator's command templates."""

    template: str
    parameters: tuple[tuple[str, str], ...]


def lent_by(connection_id: str, person_id: str) -> str:
    """The id of a connection's endpoint with one person's account."""
    return f"{connection_id}{_OF}{person_id}"


def connection_of(endpoint_id: str) -> str:
    """The id of the connection that an endpoint is of."""
    return endpoint_id.partition(_OF)[0]


def locate(url: str) -> Web | Command:
    """Take an endpoint's address apart; raises EndpointInvalid."""
    if not _PRINTABLE.fullmatch(url):
        raise EndpointInvalid("endpoint_malformed", "The endpoint is not a plain ASCII URL.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointInvalid("endpoint_malformed", "The endpoint is not a URL.") from None
    if parts.scheme in _DEFAULT_PORTS:
        return _web(parts, port)
    if parts.scheme == "stdio":
        return _command(parts)
    if parts.scheme.startswith(_SSE) and parts.scheme.removeprefix(_SSE) in _DEFAULT_PORTS:
        return replace(_web(parts._replace(scheme=parts.scheme.removeprefix(_SSE)), port), sse=True)
    raise EndpointInvalid(
        "endpoint_scheme", "The endpoint starts with neither https, nor sse+https, nor stdio."
    )


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Refuse headers that cannot be sent or would change the protocol; raises EndpointInvalid."""
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise EndpointInvalid("endpoint_header", "A header cannot be written as HTTP.")
        if _OUR_HEADERS.fullmatch(name):
            raise EndpointInvalid("endpoint_header", f"The header {name} belongs to the protocol.")


def _web(parts: SplitResult, port: int | None) -> Web:
    if "@" in parts.netloc:
        raise EndpointInvalid("endpoint_credentials", "A URL must not carry credentials.")
    if parts.fragment:
        raise EndpointInvalid("endpoint_malformed", "The endpoint has a fragment.")
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    chosen = _DEFAULT_PORTS[parts.scheme] if port is None else port
    if not chosen:
        raise EndpointInvalid("endpoint_malformed", "Port 0 is nobody's.")
    return Web(parts.scheme, _host(parts), chosen, path)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    try:
        if "[" in parts.netloc:
            return str(_unscoped(IPv6Address(host)))
        # As browsers do: a last label that is a number makes the whole an IPv4 address.
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except AddressValueError:
        raise EndpointInvalid("endpoint_host", "The host is not a proper IP address.") from None
    if len(host) > 253 or not _HOSTNAME.fullmatch(host):  # noqa: PLR2004  RFC 1035 section 2.3.4
        raise EndpointInvalid("endpoint_host", "The endpoint has no proper host name.")
    return host


def _unscoped(address: IPv6Address) -> IPv6Address:
    if address.scope_id is not None:
        raise AddressValueError("an address with a zone is only ours")
    return address


def _command(parts: SplitResult) -> Command:
    if not _TEMPLATE_NAME.fullmatch(parts.netloc) or parts.path or parts.fragment:
        raise EndpointInvalid("endpoint_malformed", "Expected stdio://template?parameter=value.")
    if not parts.query:
        return Command(parts.netloc, ())
    try:
        pairs = parse_qsl(
            parts.query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise EndpointInvalid("endpoint_malformed", "The parameters cannot be read.") from None
    return Command(parts.netloc, tuple(pairs))
