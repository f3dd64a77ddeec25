"""The files that the rules look at."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Tree:
    """The files of a checkout, named from its root."""

    root: Path
    names: tuple[str, ...]

    @classmethod
    def of_checkout(cls, root: Path) -> "Tree":
        """What git tracks below ``root``, and what it would take up."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        names = sorted(set(listed.split("\0")) - {""})
        return cls(root, tuple(name for name in names if (root / name).is_file()))

    def text(self, name: str) -> str:
        """The text of a file; empty where it is missing or no text."""
        try:
            return (self.root / name).read_text()
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Every line of every text, with ``name:number`` before it."""
        for name in self.names:
            for number, line in enumerate(self.text(name).splitlines(), 1):
                yield f"{name}:{number}", line

    def sources(self) -> tuple[str, ...]:
        """The Python files written by hand; Django writes migrations."""
        return tuple(
            name for name in self.names if name.endswith(".py") and "/migrations/" not in name
        )

    @cached_property
    def modules(self) -> tuple[tuple[str, ast.Module], ...]:
        """The syntax tree of every Python file written by hand."""
        return tuple((name, ast.parse(self.text(name), name)) for name in self.sources())
