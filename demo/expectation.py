"""What every step checks: it names what was expected and what came."""

from collections.abc import Mapping


class Unexpected(Exception):
    """Something went otherwise than told."""


def expect(what: str, came: object, wanted: object) -> None:
    """Let only the wanted value pass; raises Unexpected."""
    if came != wanted:
        raise Unexpected(f"{what}: expected {wanted!r}, got {came!r}")


def expect_part(what: str, came: str, part: str) -> None:
    """Let only a text pass that has the part in it; raises Unexpected."""
    if part not in came:
        raise Unexpected(f"{what}: expected something with {part!r}, got {came!r}")


def expect_filled(what: str, came: Mapping[str, object], *names: str) -> None:
    """Let only a mapping pass that is blank nowhere in the names; raises Unexpected."""
    blank = [name for name in names if came.get(name) in (None, "", [], {})]
    if blank:
        raise Unexpected(f"{what}: expected no blanks, got none of {', '.join(blank)}: {came!r}")
