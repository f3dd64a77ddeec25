"""How passwords are hashed."""

from threading import BoundedSemaphore
from typing import Any, Final

from django.contrib.auth.hashers import Argon2PasswordHasher

# Each hash takes 19 MiB and a core: a flood of logins must leave room for everybody else.
_AT_ONCE: Final = BoundedSemaphore(2)


class Argon2id(Argon2PasswordHasher):
    """Argon2id as OWASP's password storage sheet advises: 19 MiB, two passes, one lane."""

    algorithm = "argon2id"  # its own: of two hashers with one name Django uses the last to verify
    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash a password, at most two at once."""
        with _AT_ONCE:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> Any:
        """Compare a password with its hash, at most two at once."""
        with _AT_ONCE:
            return super().verify(password, encoded)
