"""How passwords are hashed."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

from django.contrib.auth.hashers import Argon2PasswordHasher

from agentxsuite.control.problems import Throttled

# Each hash takes 19 MiB and a core: a flood of logins must leave room for everybody else.
_AT_ONCE: Final = BoundedSemaphore(2)
_ROOM: Final = BoundedSemaphore(8)  # of the plane's 20 places, for those who hash or wait to


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's password storage sheet advises: 19 MiB, two passes, one lane."""

    algorithm = "argon2id"  # its own: of two hashers with one name Django uses the last to verify
    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash a password, two at once; raises Throttled when many wait."""
        with a_turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> Any:
        """Compare a password with its hash, two at once; raises Throttled when many wait."""
        with a_turn():
            return super().verify(password, encoded)


@contextmanager
def a_turn() -> Iterator[None]:
    """Wait until fewer than two hash; raises Throttled where too many wait already."""
    if not _ROOM.acquire(blocking=False):
        raise Throttled("Many people log in at this moment: try again.", retry_after=1)
    try:
        with _AT_ONCE:
            yield
    finally:
        _ROOM.release()
