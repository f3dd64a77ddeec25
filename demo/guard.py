"""Ends the demo's servers when the demo itself can no longer do it.

Its input is a pipe from the demo: a process group a line, with a minus when it is gone. However the
demo ends, the pipe closes; then every group that is left is asked to go, and soon made to go.
"""

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE = 5.0  # seconds between asking and making


def main() -> None:
    """Read until the demo is no more, then clear up."""
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        groups.add(number) if number > 0 else groups.discard(-number)
    for group in groups:
        tell(group, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while any(lives(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        tell(group, signal.SIGKILL)


def tell(group: int, number: signal.Signals) -> None:
    """Signal a group, if there is still anybody in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def lives(group: int) -> bool:
    """Whether anybody is left in a group."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
