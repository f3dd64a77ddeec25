"""The database file of the embedded default, read over a connection that cannot write."""

import sqlite3


class ReadOnlyFile:
    """Opened at the first question; `open` and what it returns raise sqlite3.Error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> sqlite3.Connection:
        """Return the connection."""
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None
            )
        return self._connection

    def close(self) -> None:
        """Close the connection where there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
