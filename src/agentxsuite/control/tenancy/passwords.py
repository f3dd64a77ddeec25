"""How passwords are hashed."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import BoundedSemaphore
from typing import Any, Final

from django.contrib.auth.hashers import Argon2PasswordHasher

from agentxsuite import masking
from agentxsuite.control.problems import Throttled

AT_ONCE: Final = 2  # each hash takes 19 MiB and a core: a flood must leave room for everybody else
BEHIND: Final = 10  # how nice (nice(1)) hashing is to the rest of the process, where threads can be
_ROOM: Final = BoundedSemaphore(8)  # of the plane's 20 places, for those who hash or wait to


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's password storage sheet advises: 19 MiB, two passes, one lane."""

    algorithm = "argon2id"  # its own: of two hashers with one name Django uses the last to verify
    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash a password, two at once; raises Throttled when many wait."""
        hashed: str = in_turn(super().encode, password, salt)
        return hashed

    def verify(self, password: str, encoded: str) -> Any:
        """Compare a password with its hash, two at once; raises Throttled when many wait."""
        fits = in_turn(super().verify, password, encoded)
        if fits:
            masking.learn(password)
        return fits


def in_turn(hashing: Callable[..., Any], *words: str) -> Any:
    """Return what hashing makes, when fewer than two hash; raises Throttled where many wait."""
    if not _ROOM.acquire(blocking=False):
        raise Throttled("Many people log in at this moment: try again.", retry_after=1)
    try:
        return _hashers().submit(hashing, *words).result()
    finally:
        _ROOM.release()


@cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_step_back)


def _step_back() -> None:
    """Let everybody else's calls go first: on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BEHIND)
