"""What the load client is told to do, and what it writes down of every attempt."""

from pathlib import Path

import msgspec
from msgspec import Struct

LOST, REFUSED = "lost", "refused"  # sent and never answered; not even connected


class Plan(Struct, frozen=True):
    """The load: so many callers, each with its own worker as long as that one lets it in.

    Every ``keyed``-th call (0: none) carries an Idempotency-Key, and is repeated under it until it
    has an answer to keep; any other is sent once. ``timeout`` is what a call asks for, in seconds,
    ``patience`` how long repeating goes on after the load was told to stop, ``pause`` how long a
    caller waits between two calls. Every ``fresh``-th caller (0: none) connects anew for each call.
    """

    urls: tuple[str, ...]
    path: str
    mcp_path: str
    token: str
    agent: str
    tool: str
    mcp_tool: str
    prefix: str
    log: str
    callers: int = 16
    keyed: int = 2
    timeout: float = 5.0
    patience: float = 5.0
    pause: float = 0.0
    fresh: int = 0


class Answer(Struct, frozen=True):
    """One attempt. Times are of the monotonic clock, which all processes of a machine share.

    ``status`` is 0 without an answer; ``error`` says why: LOST, or REFUSED, with a reason.
    """

    call: str
    key: bool
    worker: int
    sent: float
    ended: float
    status: int = 0
    code: str = ""
    run_id: str = ""
    replayed: bool = False
    error: str = ""

    @property
    def lost(self) -> bool:
        """Whether it was sent, and nothing came back."""
        return self.error.startswith(LOST)


def written(log: Path) -> list[Answer]:
    """The attempts so far; a line that is still being written is left out."""
    text = log.read_bytes() if log.exists() else b""
    decode = msgspec.json.Decoder(Answer).decode
    return [decode(line) for line in text.split(b"\n")[:-1]]
