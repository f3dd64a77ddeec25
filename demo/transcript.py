"""What the reader of the demo sees: numbered, plain text; colour only on a terminal."""

import json
import re
import time
from collections.abc import Iterable, Mapping

from rich.console import Console

WIDEST = 150  # characters of an answer's line; the rest is what the record is for
IDENTIFIER = re.compile(r"(?<=/)([\w-]{6})[\w-]{24,}(?=/)")


class Transcript:
    """Prints what is prepared, then the steps."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.scene = ""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self._began

    def title(self, text: str) -> None:
        """Print a headline; what follows happens under it."""
        self.scene = text
        self._console.print(f"\n{text}", style="bold")

    def progress(self, text: str) -> None:
        """Say what is being prepared, and when that began."""
        self.scene = text
        self._console.print(f"  {self.seconds:4.1f} s  {text}")

    def tell(self, text: str) -> None:
        """Print a sentence of the story."""
        self._console.print(f"   {text}")

    def asks(self, who: str, what: str, values: Mapping[str, object] | None = None) -> None:
        """Show a request: who asks, for what, with which values."""
        told = "" if values is None else f" {json.dumps(values)}"
        short = IDENTIFIER.sub(r"\1..", what)
        self._console.print(f"   {who} > {short}{told}", style="cyan")

    def gets(self, *lines: str) -> None:
        """Show an answer, line by line."""
        for line in lines:
            short = line if len(line) <= WIDEST else f"{line[: WIDEST - 3]}..."
            self._console.print(f"     < {short}", style="green")

    def table(self, rows: Iterable[tuple[str, ...]]) -> None:
        """Print rows of words in columns."""
        written = [tuple(rows_of) for rows_of in rows]
        widths = [max(map(len, column)) for column in zip(*written, strict=True)]
        for row in written:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._console.print(f"     {'  '.join(cells)}".rstrip())

    def line(self, text: str = "") -> None:
        """Print a line as it stands, to be copied."""
        self._console.print(text)

    def alarm(self, text: str) -> None:
        """Print what went wrong."""
        self._console.print(text, style="bold red")
