"""Every way to refuse a policy when it is written: what is wrong, and where."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong; ``path`` is a JSON pointer (RFC 6901) into what was written."""

    path: str
    code: str
    detail: str


class PolicyInvalid(ValueError):
    """A policy or rule that cannot be enforced as written; ``problems`` is never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.detail}" for p in self.problems))


class Refused(ValueError):
    """One value refused by its parser, which does not know where the value stood."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Report:
    """Collects problems, so that an author sees all of them at once."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, path: str, code: str, detail: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(path, code, detail))

    def attempt(self, path: str, parse: Callable[[], T]) -> T | None:
        """What ``parse`` gives, or None with its refusal noted at ``path``."""
        try:
            return parse()
        except Refused as refusal:
            self.add(path, refusal.code, refusal.detail)
            return None

    def close(self) -> None:
        """Raise PolicyInvalid unless nothing was noted."""
        if self.problems:
            raise PolicyInvalid(self.problems)
