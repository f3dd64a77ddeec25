"""The pages that are made from the program, and whether they are as it would make them."""

import re
from collections.abc import Iterator
from pathlib import Path

from agentxsuite.project.openapi import document, problems

ROOT = Path(__file__).parents[2]
ERRORS = ROOT / "docs/api/errors.md"
CODES = ROOT / "src/agentxsuite/project/openapi/codes.txt"
DESCRIPTION = ROOT / "docs/api/openapi.yaml"
LISTED = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


class Unclear(Exception):
    """Views or serializers do not say enough; the text names them."""


def renew() -> list[str]:
    """Write the pages that are not as they should be; returns which. Raises Unclear."""
    changed = []
    for page, text in pages():
        if not page.exists() or page.read_bytes() != text:
            page.write_bytes(text)
            changed.append(str(page.relative_to(ROOT)))
    return changed


def stale() -> list[str]:
    """Return the pages that are not as they should be."""
    return [str(page.relative_to(ROOT)) for page, text in pages() if page.read_bytes() != text]


def pages() -> Iterator[tuple[Path, bytes]]:
    """Yield each page with its text; the list of codes is needed for the description."""
    yield (
        CODES,
        "".join(f"{code}\n" for code in sorted(set(LISTED.findall(ERRORS.read_text())))).encode(),
    )
    for made in (problems.codes, document.describe, document.rendered):
        made.cache_clear()
    if document.describe().unclear:
        raise Unclear(document.describe().unclear)
    yield DESCRIPTION, document.rendered("yaml")
