"""What a run of the scenarios prints while it works."""

import sys


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
