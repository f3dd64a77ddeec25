"""What waits for a reader who may be slow: when it is too much, the oldest goes first."""

from collections import OrderedDict
from collections.abc import Hashable

MOST = 100  # messages
MOST_BYTES = 256 * 1024  # of all of them together


class Outbox:
    """Messages in the order of their coming, at most so many and so large together.

    A message under a key takes the place of the one that waits under the same key: what it said is
    no longer true.
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._waiting: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def put(self, message: bytes, key: Hashable = None) -> None:
        """Let a message wait; others, or itself where it is too large, are forgotten for it."""
        place = object() if key is None else key
        self._drop(place)
        self._waiting[place] = message
        self._size += len(message)
        while len(self._waiting) > self._most or self._size > self._most_bytes:
            self.take()

    def take(self) -> bytes:
        """The oldest message, which then waits no more; raises KeyError where none does."""
        _, message = self._waiting.popitem(last=False)
        self._size -= len(message)
        return message

    def _drop(self, place: Hashable) -> None:
        self._size -= len(self._waiting.pop(place, b""))
