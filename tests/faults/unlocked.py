"""The server without the lock that writers share: what it is worth shows in its absence.

``python -m tests.faults.unlocked serve ...`` is the command `agentxsuite`, but for that.
"""

from collections.abc import Callable

from agentxsuite.control.storage.sqlite.lock import Hold, WriteLock
from agentxsuite.project.main import main


def acquire(lock: WriteLock, _timeout: float = 0.0, abandon: Callable[[], object] = int) -> Hold:
    """Wait for nobody: a place outside of the queue."""
    return Hold(lock, abandon)


if __name__ == "__main__":
    WriteLock.acquire = acquire
    main()
