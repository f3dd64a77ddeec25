"""What a server offers, read from the list of its tools: pinned, scanned, refused."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from agentxsuite import wire
from agentxsuite.control.catalog.pace import Pace
from agentxsuite.control.catalog.scan import Finding, scan
from agentxsuite.engines import pdp
from agentxsuite.engines.schemas import SchemaRefused, inspect_schema
from agentxsuite.wire import JSON

MAX_TOOLS = 2_000
MAX_NAME, MAX_UPSTREAM_NAME = 512, 256  # what the columns hold
MAX_DEFINITION = 256 * 1024  # bytes of canonical JSON
SCHEMAS: Final = ("inputSchema", "outputSchema")


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool as its server describes it; `digest` is the SHA-256 of the canonical JSON."""

    upstream_name: str
    name: str
    digest: str
    definition: Mapping[str, JSON]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A server's tools by their upstream names, and why some were not taken in at all."""

    offers: Mapping[str, Offer]
    refused: tuple[Finding, ...] = field(default=())


class Unacceptable(ValueError):
    """A tool that cannot be taken in."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_listing(slug: str, definitions: Sequence[Mapping[str, JSON]]) -> Listing:
    """Read the raw list of a connection's server. Raises Unacceptable for one that is too long.

    A tool that cannot be named, stored or told from another one is refused by itself.
    """
    if len(definitions) > MAX_TOOLS:
        raise Unacceptable("too_many_tools", f"The server lists more than {MAX_TOOLS} tools.")
    times = Counter(definition["name"] for definition in definitions)
    offers: dict[str, Offer] = {}
    refused: list[Finding] = []
    pace = Pace()
    for number, definition in enumerate(definitions):
        pace.rest()
        name = definition["name"]
        try:
            offers[name] = offer(slug, definition, alone=times[name] == 1)
        except Unacceptable as error:
            refused.append(Finding(error.code, f"/tools/{number}", f"{name!a:.80}: {error.detail}"))
    return Listing(offers, tuple(refused))


def offer(slug: str, definition: Mapping[str, JSON], *, alone: bool = True) -> Offer:
    """Pin and scan one definition, which is `alone` under its name; raises Unacceptable."""
    if not alone:
        raise Unacceptable("tool_repeated", "The server lists this name more than once.")
    upstream_name: str = definition["name"]
    name = qualified(slug, upstream_name)
    canonical = canonical_json(definition)
    if len(canonical) > MAX_DEFINITION:
        raise Unacceptable("tool_too_large", f"It has more than {MAX_DEFINITION} bytes.")
    findings = (*schema_findings(definition), *scan(definition))
    return Offer(upstream_name, name, sha256(canonical).hexdigest(), definition, findings)


def qualified(slug: str, upstream_name: str) -> str:
    """Return `<slug>/<name as one percent-encoded segment>`; raises Unacceptable.

    A name that no policy could speak of (POLICY's rules for segments) is not taken in.
    """
    try:
        name = f"{slug}/{quote(upstream_name, safe='')}"
        pdp.canonical(name.partition("/")[2])
    except ValueError as error:
        raise Unacceptable("tool_name_refused", str(error)) from None
    if len(name) > MAX_NAME or len(upstream_name) > MAX_UPSTREAM_NAME:
        raise Unacceptable("tool_name_refused", "The name is too long.")
    return name


def canonical_json(definition: Mapping[str, JSON]) -> bytes:
    """Return the one spelling that is hashed: sorted names, no white space, exact numbers.

    Raises Unacceptable for what a database could not hold.
    """
    text = json.dumps(
        definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    try:
        canonical = text.encode()
    except UnicodeEncodeError:
        raise Unacceptable("tool_unstorable", "It has half of a character.") from None
    if wire.holds_nul(canonical):
        raise Unacceptable("tool_unstorable", "It has a NUL character.")
    return canonical


def schema_findings(definition: Mapping[str, JSON]) -> list[Finding]:
    """Why the schemas of a definition cannot be trusted."""
    found = []
    for name in SCHEMAS:
        if name in definition or name == "inputSchema":
            try:
                inspect_schema(schema_of(definition) if name == "inputSchema" else definition[name])
            except SchemaRefused as error:
                found.append(Finding("schema_refused", f"/{name}", f"{error.code}: {error.detail}"))
    return found


def schema_of(definition: Mapping[str, JSON]) -> JSON:
    """Return the schema of the arguments; where a server gives none, none are expected."""
    return definition.get("inputSchema", {"type": "object", "properties": {}})
