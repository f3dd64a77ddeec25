"""The database backend: Django's own for SQLite, whose writers queue at the file's lock.

A transaction holds the lock from before its BEGIN IMMEDIATE until it is committed, rolled back or
its connection closed; a single statement outside of one for as long as it runs. Reading, and
transactions that are begun by hand as deferred ones, never take it.
"""

from collections.abc import Callable
from functools import partial
from sqlite3 import Connection
from typing import Any

from django.db.backends.sqlite3 import base

from agentxsuite.control.storage.sqlite.lock import PATIENCE, Hold, WriteLock, write_lock

Sqlite: Any = base.DatabaseWrapper  # its stubs leave out what begins and ends a transaction
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class Cursor(base.SQLiteCursorWrapper):
    """A cursor whose writing statements wait for their turn where no transaction did."""

    def __init__(self, connection: Connection, lock: WriteLock, patience: float) -> None:
        super().__init__(connection)
        self._lock, self._patience = lock, patience

    def execute(self, query: str, params: Any = None) -> Any:
        """Run one statement."""
        return self._in_turn(query, partial(super().execute, query, params))

    def executemany(self, query: str, param_list: Any) -> Any:
        """Run one statement for each set of parameters."""
        return self._in_turn(query, partial(super().executemany, query, param_list))

    def _in_turn(self, query: str, run: Callable[[], Any]) -> Any:
        if self.connection.in_transaction or not query.startswith(WRITES):
            return run()
        with self._lock.held(self._patience):
            return run()


class DatabaseWrapper(Sqlite):  # type: ignore[misc]  # Any, as above
    """One connection to SQLite."""

    _hold: Hold | None = None

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ARG002 - Django's signature
        """Return a cursor that waits where it must."""
        return self.connection.cursor(
            factory=lambda connection: Cursor(connection, self._lock(), self._patience())
        )

    def _start_transaction_under_autocommit(self) -> None:
        if self.transaction_mode in {"IMMEDIATE", "EXCLUSIVE"}:
            with self.wrap_database_errors:
                self._hold = self._lock().acquire(self._patience(), self.connection.rollback)
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:  # nothing has begun, so nobody would end it
            self._release()
            raise

    def _commit(self) -> None:
        """Commit; one that fails leaves its transaction open, to be rolled back."""
        super()._commit()
        self._release()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._release()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._release()

    def _release(self) -> None:
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def _lock(self) -> WriteLock:
        return write_lock(self.settings_dict["NAME"])

    def _patience(self) -> float:
        return float(self.settings_dict["OPTIONS"].get("timeout", PATIENCE))
