"""The operator's file of command templates: what an mcp.json asks for is added to it."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from agentxsuite.cli.mcp_file import Entry, read
from agentxsuite.cli.templates import complete, shown
from agentxsuite.engines.upstream import Template, load_templates


def add(file: Path, only: set[str]) -> Iterator[str]:
    """Add the commands of a client's file, or only those named; tell each that was.

    Raises Misused for a file that cannot be read, ValueError for one that is already there in
    other words, and OSError for a program that is not on this machine. Then nothing is added.
    """
    place = path()
    had = place.read_text(encoding="utf-8") if place.exists() else ""
    known = load_templates(place) if had else {}
    entries = [each for each in read(file) if not only or each.name in only]
    if strange := sorted(only - {each.name for each in entries}):
        raise ValueError(f"{file} has no server {strange[0]!r}")
    told = []
    for entry in entries:
        had, line = taken(had, entry, known)
        told.append(line)
    write(place, had)
    yield from told


def taken(text: str, entry: Entry, known: dict[str, Template]) -> tuple[str, str]:
    """Return the file with the command of one entry in it, and what to say of that."""
    if entry.command is None:
        return text, f"passed over {entry.name}: {entry.unusable or 'it is not a command'}"
    name, table = entry.command.name, complete(entry.command)
    if name in known and table not in text:
        raise ValueError(f"{path()} has another template {name!r} already: change it there")
    if name in known:
        return text, f"kept {name}: it is there already"
    said = " ".join(shown(entry.command.words))
    return f"{text}\n{table}".lstrip(), f"connections may start {name}: {said}"


def listed() -> list[str]:
    """Return the templates there are, in lines; raises ValueError or OSError for a bad file."""
    if not path().exists():
        return [f"none yet: {path()} is not there"]
    return [f"{name}: {' '.join(each.command)}" for name, each in load_templates(path()).items()]


def path() -> Path:
    """Where the templates are, or would be."""
    return Path(settings.STDIO_TEMPLATES or settings.DATA_DIR / settings.TEMPLATES_FILE)


def write(place: Path, text: str) -> None:
    """Replace the file, for its owner's eyes alone, once the server could read it."""
    draft = place.with_name(f".{place.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        load_templates(draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
