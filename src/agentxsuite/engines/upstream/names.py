"""The names by which agents see tools, stable and safe for every model API. Pure."""

import re
from hashlib import sha256

MAX_LENGTH = 64
JOINT = "__"  # no slug contains an underscore, so the first joint is the only one that counts
HASH_LENGTH = 16

_PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
_ODD = re.compile(r"[^a-zA-Z0-9_-]+")
_SHORTENED = re.compile(rf"_[0-9a-f]{{{HASH_LENGTH}}}\Z")


def mcp_name(slug: str, upstream_name: str) -> str:
    """Return `<slug>__<tool>` in `[a-zA-Z0-9_-]{1,64}`, for ever the same for the same tool.

    A name that is too long or has other characters gets a short form that ends in a hash of the
    whole; so does one that looks like such a short form, so that no plain name can be another
    tool's short one.
    """
    plain = f"{slug}{JOINT}{upstream_name}"
    if (
        len(plain) <= MAX_LENGTH
        and _PLAIN.fullmatch(upstream_name)
        and not _SHORTENED.search(upstream_name)
    ):
        return plain
    digest = sha256(upstream_name.encode(errors="surrogatepass")).hexdigest()[:HASH_LENGTH]
    room = MAX_LENGTH - len(slug) - len(JOINT) - 1 - HASH_LENGTH
    stem = _ODD.sub("_", upstream_name)[:room].rstrip("_")
    return f"{slug}{JOINT}{stem}_{digest}"
