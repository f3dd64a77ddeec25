"""A hasher of passwords that counts what it hashes."""

from typing import ClassVar

from agentxsuite.control.tenancy.passwords import Argon2id


class Counted(Argon2id):
    """Ours, and how often it was asked."""

    hashed: ClassVar[int] = 0

    def encode(self, password, salt):
        type(self).hashed += 1
        return super().encode(password, salt)

    def verify(self, password, encoded):
        type(self).hashed += 1
        return super().verify(password, encoded)
