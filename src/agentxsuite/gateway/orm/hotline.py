"""Questions to PostgreSQL within a scope, over one line that is opened again when it breaks."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import psycopg

from agentxsuite.control.tenancy.scope import LIST
from agentxsuite.gateway.orm.line import Line, LineLost, Rows
from agentxsuite.gateway.orm.reading import ReadFailed

READ_SECONDS = 3.0  # for an answer, a new connection included: a frozen database is down
SCOPE = f"SELECT set_config('{LIST}', $1, true)"


class Hotline:
    """Asks one question at a time; each sees the rows of the organizations named with it."""

    def __init__(
        self, conninfo: str, statements: Mapping[str, str], patience: float = READ_SECONDS
    ) -> None:
        self._conninfo = conninfo
        self._statements = {"scope": SCOPE, **statements}
        self._patience = patience
        self._line: Line | None = None
        self._lock = asyncio.Lock()

    async def ask(self, organizations: Iterable[str], name: str, values: Sequence[str]) -> Rows:
        """The rows of a prepared statement, in one round trip; raises ReadFailed."""
        questions = ("scope", [",".join(organizations)]), (name, values)
        try:
            async with asyncio.timeout(self._patience), self._lock:
                try:
                    return await (await self._open()).ask(*questions)
                except LineLost:  # perhaps by a restart that is over: a new one tells
                    return await (await self._open()).ask(*questions)
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise ReadFailed(str(error)) from error

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()

    async def _open(self) -> Line:
        if self._line is None or self._line.closed:
            self._line = await Line.open(self._conninfo, self._statements)
        return self._line
