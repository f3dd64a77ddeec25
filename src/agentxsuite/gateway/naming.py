"""What resources and prompts are called: by policies, and at an environment's address. Pure.

A resource's target is ``resource:<slug>/<scheme>/<authority or _>/<path segments>``, the query
inside the last segment (docs/policy.md). URIs that a server may take for the same thing should have
one target, or a rule about one of them would miss the others.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, unquote

JOINT = "+"  # no slug contains it

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HIDDEN_SEPARATOR = re.compile(r"%2f|%5c|\\", re.IGNORECASE)
# Schemes whose authority is a host, and its usual port. URL parsers mend what is odd about these,
# each in its own way: "http:/a" is "http://a" to many.
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+?)\.?(?::([0-9]{0,9}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class Unnameable(ValueError):
    """A URI of which no policy can speak."""


def qualified(slug: str, uri: str) -> str:
    """What a resource, or a template, is called at the environment's address."""
    return f"{slug}{JOINT}{uri}"


def prompt_target(slug: str, name: str) -> str:
    """What policies call a prompt."""
    return f"prompt:{slug}/{quote(name, safe='')}"


def resource_target(slug: str, uri: str) -> str:
    """What policies call a resource; raises Unnameable.

    A fragment is not part of it, nor is a single slash at the end.
    """
    scheme, rest = _split(uri)
    hierarchy, _, query = rest.partition("#")[0].partition("?")
    if _HIDDEN_SEPARATOR.search(hierarchy):
        raise Unnameable("a separator is hidden in a segment")
    authority, segments = _hierarchy(scheme, hierarchy)
    last = segments.pop() if segments else ""
    if query:
        last = f"{last}?{query.replace('/', '%2F')}"
    if last:
        segments.append(last)
    return "/".join([f"resource:{slug}", scheme, authority, *segments])


def resource_beginning(slug: str, template: str) -> str:
    """How the target of everything begins that a template (RFC 6570) can become."""
    return "/".join([f"resource:{slug}", *_known(template)])


def _known(template: str) -> Iterator[str]:
    """The segments before the first expression, as far as they are complete."""
    head = re.split(r"[{?#]", template, maxsplit=1)[0]
    try:
        scheme, rest = _split(head)
    except Unnameable:
        return
    yield scheme
    if rest in ("", "/") or (rest.startswith("//") and "/" not in rest[2:]):
        return
    try:
        authority, segments = _hierarchy(scheme, rest)
    except Unnameable:
        return
    yield authority
    yield from segments[:-1]


def _split(uri: str) -> tuple[str, str]:
    scheme, colon, rest = uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise Unnameable("a URI begins with its scheme")
    return scheme.lower(), rest


def _hierarchy(scheme: str, text: str) -> tuple[str, list[str]]:
    """The authority, ``_`` where there is none, and the segments of the path; raises Unnameable."""
    authority = ""
    if text.startswith("//"):
        authority, _, path = text[2:].partition("/")
    else:
        path = text.removeprefix("/")
    return _authority(scheme, authority) or "_", path.split("/") if path else []


def _authority(scheme: str, authority: str) -> str:
    """One spelling of it, where the scheme says that it is a host; raises Unnameable."""
    if scheme == "file" and authority.lower() == "localhost":
        return ""
    if scheme not in _PORTS:
        return authority
    found = _HOST.fullmatch(unquote(authority.rpartition("@")[2]).lower())
    if found is None or not found[1].isascii():
        raise Unnameable("its host is missing, or not written in ASCII")
    host, port = _host(found[1]), int(found[2] or _PORTS[scheme])
    return host if port == _PORTS[scheme] else f"{host}:{port}"


def _host(name: str) -> str:
    """A name as it is, a number only in its one usual form; raises Unnameable."""
    try:
        if name.startswith("["):
            return f"[{IPv6Address(name[1:-1])}]"
        return str(IPv4Address(name)) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name
    except ValueError:
        raise Unnameable("its host is an unusual form of a number") from None
