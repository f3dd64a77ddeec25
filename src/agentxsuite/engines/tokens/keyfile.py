"""A secret file: mode 0600, written whole or not at all, refused when others could read it.

The token keys in it are a private JWK Set (RFC 7517, RFC 8037), newest first; the first key signs:
``{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "<public>", "d": "<secret seed>"}, ...]}``
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class KeyFileInvalid(Exception):
    """A key file that must not be used; the text is for the operator and shows no secret."""


def read(path: Path) -> bytes:
    """The bytes of ``path``; raises KeyFileInvalid when group or others have any access to it."""
    with path.open("rb") as file:
        # Ask the open file, not the name: between two look-ups the name may change hands.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileInvalid(f"{path}: mode {mode:04o} lets others in; chmod 600 it")
        return file.read()


def create(path: Path, content: bytes) -> None:
    """Write a new file; raises FileExistsError when there is one, even in a race."""
    with _written(path.parent, content) as draft:
        os.link(draft, path)  # unlike rename, never replaces


def replace(path: Path, content: bytes) -> None:
    """Write the file anew; a reader sees the old content or the new, never a part."""
    with _written(path.parent, content) as draft:
        os.replace(draft, path)  # noqa: PTH105 - stands beside os.link


@contextmanager
def _written(folder: Path, content: bytes) -> Iterator[Path]:
    """A durable draft beside its destination, gone afterwards; mkstemp gives mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=".draft-", dir=folder)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    """Make the folder's new entry survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
