"""The key-encryption keys: they belong to the operator and stand outside the database.

    {"keys": [{"id": "<name>", "key": "<32 bytes in base64url>"}, ...]}

The first key wraps; the others still unwrap what they once wrapped. They come from a file, which is
read at each use, so that a key added by the operator serves at once, on every worker; or from an
environment variable, as `env:<its name>` says.
"""

import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from agentxsuite import wire
from agentxsuite.control.secretstore.crypto import KEY_BYTES, new_key
from agentxsuite.engines.tokens import KeyFileInvalid, keyfile
from agentxsuite.wire import JSON

VARIABLE = "env:"


class KeysUnavailable(Exception):
    """No key-encryption key can be used; the text is for the operator and shows none."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that encrypts other keys."""

    id: str
    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh key."""
        return cls(secrets.token_hex(8), new_key())

    @classmethod
    def from_json(cls, stored: JSON) -> Self:
        """Read one key of the file; raises ValueError, KeyError, TypeError."""
        raw = urlsafe_b64decode(stored["key"])
        if not isinstance(stored["id"], str) or not stored["id"] or len(raw) != KEY_BYTES:
            raise ValueError("not a named key of 32 bytes")
        return cls(stored["id"], raw)

    def as_json(self) -> dict[str, str]:
        """Return what the file holds of it."""
        return {"id": self.id, "key": urlsafe_b64encode(self.raw).decode()}


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """All of them, newest first."""

    keys: tuple[MasterKey, ...]

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make one key in a new file of mode 0600; raises FileExistsError."""
        made = cls((MasterKey.generate(),))
        keyfile.create(path, wire.dumps({"keys": [key.as_json() for key in made.keys]}))
        return made

    @classmethod
    def load(cls, source: Path | str) -> Self:
        """Read them from a file, or from `env:<variable>`; raises KeysUnavailable."""
        named = isinstance(source, str) and source.startswith(VARIABLE)
        read = _variable(str(source)) if named else _file(Path(source))
        try:
            keys = tuple(map(MasterKey.from_json, wire.loads(read)["keys"]))
        except (ValueError, KeyError, TypeError):
            keys = ()
        if not keys:  # say no more: what was read is a secret
            raise KeysUnavailable(f"{source}: not a set of key-encryption keys")
        return cls(keys)

    @property
    def wrapping(self) -> MasterKey:
        """The key that wraps new data keys."""
        return self.keys[0]

    def find(self, name: str) -> MasterKey:
        """Return the key of that name; raises KeysUnavailable."""
        for key in self.keys:
            if key.id == name:
                return key
        raise KeysUnavailable(f"the key-encryption key {name} is not there")


def _file(path: Path) -> bytes:
    """Read a file that nobody but its owner may read."""
    try:
        return keyfile.read(path)
    except KeyFileInvalid as error:
        raise KeysUnavailable(str(error)) from None
    except OSError as error:
        raise KeysUnavailable(f"{path}: {error.strerror}") from None


def _variable(source: str) -> bytes:
    held = os.environ.get(source.removeprefix(VARIABLE))
    if held is None:
        raise KeysUnavailable(f"{source}: the variable is not set")
    return os.fsencode(held)
