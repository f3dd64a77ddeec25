"""Slugs of connections: from the name, and never given twice in an environment."""

import re
import unicodedata
from itertools import count

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.tenancy.models import Environment

MAX_LENGTH = 31
NAMELESS = "connection"

_OTHERS = re.compile(r"[^a-z0-9]+")


def slug_of(name: str) -> str:
    """Return the slug that a name asks for: `[a-z][a-z0-9-]{0,30}`."""
    ascii_text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = _OTHERS.sub("-", ascii_text.lower()).strip("-")
    if not words:
        return NAMELESS
    started = words if words[0].isalpha() else f"c-{words}"
    return started[:MAX_LENGTH].rstrip("-")


def free_slug(environment: Environment, name: str) -> str:
    """Return the first of `pdf`, `pdf-2`, ... that no connection, dead or alive, has had here.

    The caller holds the environment, so that nobody else takes it meanwhile.
    """
    wanted = slug_of(name)
    had = Connection.objects.in_environment(environment).filter(slug__startswith=wanted[:20])
    taken = set(had.values_list("slug", flat=True))
    candidates = (_numbered(wanted, number) for number in count(1))
    return next(slug for slug in candidates if slug not in taken)


def _numbered(wanted: str, number: int) -> str:
    ending = "" if number == 1 else f"-{number}"
    return wanted[: MAX_LENGTH - len(ending)].rstrip("-") + ending
