"""Rows whose text begins so, byte by byte, found by a range of an index.

Not by LIKE: behind row-level security PostgreSQL enters an index only by operators that leak
nothing of other tenants' rows (`pg_proc.proleakproof`), and LIKE is none of them; on SQLite LIKE
takes no notice of case, so that no index serves it. Both databases keep text as UTF-8, whose bytes
are in the order of its characters.
"""

from typing import Final

from django.conf import settings
from django.db.models import BooleanField, F, Func, Value

HIGHEST: Final = chr(0x10FFFF)
SURROGATES: Final = range(0xD800, 0xE000)  # in no text that a database holds
FROM, BELOW = (">=", "<") if settings.EMBEDDED else ("~>=~", "~<~")  # as `varchar_pattern_ops` does


def begins(column: str, prefix: str) -> list[Func]:
    """Return the conditions that hold for a column with this beginning."""
    end = first_after(prefix)
    conditions = [_compared(column, FROM, prefix)]
    return conditions if end is None else [*conditions, _compared(column, BELOW, end)]


def first_after(prefix: str) -> str | None:
    """Return the first text after all that begin so; None where there is none."""
    kept = prefix.rstrip(HIGHEST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if following in SURROGATES:
        following = SURROGATES.stop
    return kept[:-1] + chr(following)


def _compared(column: str, how: str, text: str) -> Func:
    return Func(
        F(column),
        Value(text),
        template="%(expressions)s",
        arg_joiner=f" {how} ",
        output_field=BooleanField(),
    )
