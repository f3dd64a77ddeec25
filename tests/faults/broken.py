"""What a scenario raises when a promise does not hold."""

from collections.abc import Iterable


class Broken(Exception):
    """A promise that was broken; each line says one way in which it was."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def require(findings: Iterable[str]) -> None:
    """Raise Broken with these findings, if there are any."""
    if lines := tuple(findings):
        raise Broken(*lines)
