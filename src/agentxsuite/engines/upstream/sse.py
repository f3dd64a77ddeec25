"""Server-sent events as MCP uses them: one JSON-RPC message an event (WHATWG HTML section 9.2)."""

from agentxsuite.engines.upstream.errors import UpstreamProtocolError

MAX_EVENT = 4 * 1024 * 1024


class EventReader:
    """Turns the chunks of a stream into the data of its message events.

    Raises UpstreamProtocolError for an event that is too large.
    """

    __slots__ = ("_data", "_ended_in_cr", "_kind", "_line", "_size")

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._kind = b""
        self._ended_in_cr = False
        self._size = 0  # of the event that has begun

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of every message event that ``chunk`` completes."""
        return [data for kind, data in self.events(chunk) if kind in (b"", b"message")]

    def events(self, chunk: bytes) -> list[tuple[bytes, bytes]]:
        """Kind and data of every event that ``chunk`` completes."""
        if self._ended_in_cr:
            chunk = chunk.removeprefix(b"\n")
        self._ended_in_cr = chunk.endswith(b"\r")
        self._size += len(chunk)
        first, *others = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._line += first
        events: list[tuple[bytes, bytes]] = []
        for start in others:
            self._take(bytes(self._line), events)
            self._line = bytearray(start)
        if self._size > MAX_EVENT:
            raise UpstreamProtocolError("The upstream's event is larger than 4 MiB.")
        return events

    def _take(self, line: bytes, events: list[tuple[bytes, bytes]]) -> None:
        if not line:
            if self._data:
                events.append((self._kind, b"\n".join(self._data)))
            self._data = []
            self._kind = b""
            self._size = 0
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._kind = value
