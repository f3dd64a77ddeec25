"""What is known of servers in use: when each is looked at again, and which tools are in doubt."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from agentxsuite.gateway.facts import Connection, Tool
from agentxsuite.wire import JSON

AGAIN_SECONDS = 50.0  # a server in use is listed again before a minute has passed
AT_ONCE = 4  # servers that are looked at in the background at a time


class Vigil:
    """A tool is in doubt while its server says something else than was approved."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[tuple[str, str], float] = {}  # by connection and, of a person's, tool
        self._doubts: dict[str, JSON] = {}  # by tool
        self.used: dict[str, Connection] = {}  # by what is kept open for them
        self.told: dict[str, bytes] = {}  # by connection, the list that the record was told of
        self.looks: dict[str, asyncio.Task[None]] = {}  # by connection
        self.free = asyncio.Semaphore(AT_ONCE)

    def use(self, connection: Connection) -> None:
        """Something is kept open for a connection from now on."""
        self.used[connection.kept_as] = connection

    def is_due(self, connection: Connection, tool: str = "") -> bool:
        """Whether a server in use, or one tool, is to be looked at; a first use is counted from."""
        self.use(connection)
        now, due = self._clock(), self._due.get((connection.id, tool))
        if due is not None and now < due:
            return False
        self._due[connection.id, tool] = now + AGAIN_SECONDS
        return due is not None

    def hurry(self, connection_id: str) -> None:
        """Each tool of a server that calls look at for themselves is due now."""
        tools = [key for key in self._due if key[0] == connection_id and key[1]]
        self._due |= dict.fromkeys(tools, self._clock())

    def doubts(self, tool: Tool) -> bool:
        """Whether the server said something else when it was looked at last."""
        return tool.id in self._doubts

    def compare(self, tool: Tool, said: JSON) -> bool:
        """Note what a server says of a tool, None for nothing; whether that was approved."""
        if said == tool.definition:
            self._doubts.pop(tool.id, None)
            return True
        self._doubts[tool.id] = said
        return False

    def compare_all(self, tools: Sequence[Tool], said: Mapping[str, JSON]) -> bool:
        """Note what a server says of all its tools; whether the record knows it so."""
        same = [self.compare(tool, said.get(tool.upstream_name)) for tool in tools]
        known = all(tool.sync_status == "synced" for tool in tools)
        return known and all(same) and said.keys() == {tool.upstream_name for tool in tools}

    def forget(self, connection: Connection) -> None:
        """Nothing is kept open for a connection any more."""
        self.used.pop(connection.kept_as, None)
        self.told.pop(connection.id, None)
        self._due = {key: due for key, due in self._due.items() if key[0] != connection.id}

    async def close(self) -> None:
        """End every look."""
        for task in self.looks.values():
            task.cancel()
        if self.looks:
            await asyncio.wait(self.looks.values())
