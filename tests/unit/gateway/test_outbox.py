"""What waits for a slow reader."""

from agentxsuite.gateway.outbox import Outbox


def taken(outbox):
    return [outbox.take() for _ in range(len(outbox))]


def test_messages_come_out_as_they_went_in():
    """Otherwise: a client sees what happened in an order in which it did not."""
    outbox = Outbox()
    for message in (b"one", b"two", b"one"):
        outbox.put(message)
    assert taken(outbox) == [b"one", b"two", b"one"]
    assert not outbox


def test_a_message_under_a_key_takes_the_place_of_the_one_that_waits():
    """Otherwise: a slow reader gets every step of a progress that is long over."""
    outbox = Outbox()
    outbox.put(b"1 of 3", "progress")
    outbox.put(b"a word")
    outbox.put(b"2 of 3", "progress")
    assert taken(outbox) == [b"a word", b"2 of 3"]


def test_too_many_push_out_the_oldest():
    """Otherwise: who does not read fills the server's memory."""
    outbox = Outbox(most=2)
    for message in (b"1", b"2", b"3"):
        outbox.put(message)
    assert taken(outbox) == [b"2", b"3"]


def test_what_is_too_large_pushes_out_the_oldest_and_at_last_itself():
    """Otherwise: a few large messages fill the memory that many small ones cannot."""
    outbox = Outbox(most_bytes=10)
    outbox.put(b"x" * 6)
    outbox.put(b"y" * 6)
    assert taken(outbox) == [b"y" * 6]
    outbox.put(b"small")
    outbox.put(b"z" * 11)
    assert not outbox
    outbox.put(b"w" * 10)
    assert taken(outbox) == [b"w" * 10]
