"""What PostgreSQL tells of the statements that a server sent it: its own account of each plan."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

PLAN: Final = re.compile(r"plan:\n((?:\t.*\n)+)")
TELLING: Final = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
}


class Told:
    """The plans of the statements about one table that a role has sent since it was asked."""

    def __init__(self, admin: psycopg.Connection, role: str, log: Path) -> None:
        self._admin, self._role, self._log = admin, role, log

    @contextmanager
    def about(self, table: str) -> Iterator[list[dict[str, Any]]]:
        """Have the role's new connections tell; the plans are there when the block is left."""
        plans: list[dict[str, Any]] = []
        before = len(self._log.read_text())
        for name, value in TELLING.items():
            self._admin.execute(f"ALTER ROLE {self._role} SET {name} = '{value}'")
        try:
            yield plans
        finally:
            self._admin.execute(f"ALTER ROLE {self._role} RESET ALL")
        found = PLAN.findall(self._log.read_text()[before:])
        told = [json.loads(text.replace("\n\t", "\n")) for text in found]
        plans += [each["Plan"] for each in told if table in each["Query Text"]]
