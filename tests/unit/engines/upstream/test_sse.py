"""Event streams, cut anywhere."""

import pytest

from agentxsuite.engines.upstream.errors import UpstreamProtocolError
from agentxsuite.engines.upstream.sse import MAX_EVENT, EventReader

HALF = MAX_EVENT // 2

STREAM = (
    b": comment\n"
    b"id: 1\nretry: 5\n\n"
    b"event: message\ndata: one\n\n"
    b"data:two\r\ndata: lines\r\n\r\n"
    b"event: other\ndata: not ours\n\n"
    b"data: three\r\r"
    b"data\n\n"
    b"data: unfinished"
)
EVENTS = [b"one", b"two\nlines", b"three", b""]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_however_cut(size):
    """An answer would be lost because the network cut it in an unlucky place."""
    reader = EventReader()
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert [event for chunk in chunks for event in reader.feed(chunk)] == EVENTS


def test_an_event_has_a_largest_size():
    """Otherwise: a server that never ends an event fills the memory."""
    reader = EventReader()
    for _ in range(3):
        assert reader.feed(b"data: " + b"x" * HALF + b"\n\n")
    reader.feed(b"data: " + b"x" * HALF + b"\n")
    with pytest.raises(UpstreamProtocolError, match="4 MiB"):
        reader.feed(b"data: " + b"x" * HALF + b"\n")
