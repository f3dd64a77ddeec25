"""One connection to PostgreSQL that fails within seconds rather than hang for ever.

A server that is stopped, or whose disk stands still, keeps its connections open and says nothing.
The server itself gives up a statement first: then it is known not to be written. When not even
that comes, the connection is cut from here: what became of the statement is then unknown.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

import psycopg

from agentxsuite.gateway.ledger.database import Away, Found, WriteFailed

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 3.0  # of the server's own patience; the largest batch takes a tenth of it
ANSWER_SECONDS = 4.0  # until the line is cut
REFUSED = (  # by a database that is there, though its driver files them under its failures
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.ProgramLimitExceeded,
)
GONE = (OSError, psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)


class Line:
    """One connection, opened when it is needed and again when it broke."""

    def __init__(self, conninfo: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._conninfo = conninfo
        self._answer_seconds = answer_seconds
        self._turn = asyncio.Lock()
        self._connection: psycopg.AsyncConnection | None = None

    async def execute(self, statement: str, parameters: Sequence[object]) -> Found:
        """Run one statement that returns rows, in a transaction of its own.

        Raises WriteFailed when the database refused it, and Away when it did not get that far.
        """
        async with self._turn:
            try:
                return await self._ask(await self._open(), statement, parameters)
            except REFUSED as error:
                raise WriteFailed(str(error)) from error
            except GONE as error:
                await self.aclose()
                raise Away(str(error)) from error
            except psycopg.Error as error:
                raise WriteFailed(str(error)) from error

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _ask(
        self, connection: psycopg.AsyncConnection, statement: str, parameters: Sequence[object]
    ) -> Found:
        loop = asyncio.get_running_loop()
        patience = loop.call_later(self._answer_seconds, cut, connection)
        try:
            cursor = await connection.execute(statement, parameters, prepare=True)
            return await cursor.fetchall()
        finally:
            patience.cancel()

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS:.0f}s",
                keepalives_idle=5,  # seconds; a peer that is gone is noticed between batches
                keepalives_interval=2,
                keepalives_count=3,
            )
        return self._connection


def cut(connection: psycopg.AsyncConnection) -> None:
    """End a connection below its driver, so that who waits for an answer learns it at once."""
    with (
        suppress(OSError, psycopg.Error),  # it may have ended by itself
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)
