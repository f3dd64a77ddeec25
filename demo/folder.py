"""A folder for one demo: emptied at the start, left behind for whoever wants to look."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST = 9  # demos at the same time


@dataclass(frozen=True)
class Folder:
    """Where a demo keeps everything that it makes."""

    path: Path

    @property
    def data(self) -> Path:
        """The server's own directory: database and keys."""
        return self.path / "server"

    @property
    def logs(self) -> Path:
        """What every process printed."""
        return self.path / "logs"

    @property
    def repositories(self) -> Path:
        """Where git repositories live that a connection may name."""
        return self.path / "repositories"

    @property
    def templates(self) -> Path:
        """The operator's file of commands that may be started."""
        return self.path / "stdio.toml"

    @property
    def shown(self) -> str:
        """The path as a reader types it."""
        return os.path.relpath(self.path)


@contextmanager
def fresh_folder() -> Iterator[Folder]:
    """An empty ``data/demo``; ``data/demo-2`` and so on while another demo still serves."""
    handle, path = take_first_free()
    try:
        empty(path)
        folder = Folder(path)
        for inside in (folder.data, folder.logs, folder.repositories):
            inside.mkdir(mode=0o700)
        yield folder
    finally:
        os.close(handle)


def take_first_free() -> tuple[int, Path]:
    """Lock a folder against other demos; the lock goes with the process."""
    for number in range(1, MOST + 1):
        path = ROOT / "data" / ("demo" if number == 1 else f"demo-{number}")
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return handle, path
    raise SystemExit(f"demo: {MOST} demos are running already; stop one of them")


def empty(path: Path) -> None:
    """Remove what an earlier demo left."""
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
