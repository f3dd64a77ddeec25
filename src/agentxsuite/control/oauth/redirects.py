"""Where people may be sent back to: this machine, or an https address. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")  # RFC 8252, section 7.3; as written by clients
MOST: Final = 10
PLAIN: Final = re.compile(r"[!-~]{1,1000}")


def check_redirect(uri: str) -> str | None:
    """Return what is wrong with a redirect URI, if anything (RFC 6749, section 3.1.2)."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if not PLAIN.fullmatch(uri):
        return "must be plain ASCII, and not that long"
    if not host or "@" in parts.netloc or "#" in uri or "*" in parts.netloc or "\\" in uri:
        return "must name a host, and have neither user, fragment nor wildcard"
    if parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK):
        return None
    return "must begin with https:// or lead to this machine (http://127.0.0.1)"


def host_of(uri: str) -> str:
    """Return the host, with its port, that a person is told to look at."""
    return urlsplit(uri).netloc
