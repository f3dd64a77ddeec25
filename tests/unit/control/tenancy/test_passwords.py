"""A flood of logins leaves room for everybody else."""

import threading
from contextlib import ExitStack

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from agentxsuite.control.problems import Throttled
from agentxsuite.control.tenancy import passwords


def test_verifying_passes_through_our_hasher():
    """Otherwise: another hasher checks passwords, and nothing bounds how many at once."""
    assert isinstance(identify_hasher(make_password("x")), passwords.Argon2id)
    assert check_password("x", make_password("x"))
    assert not check_password("y", make_password("x"))


def test_a_third_hash_waits_for_one_of_two():
    """Otherwise: a thousand guesses take nineteen gigabytes."""
    done = threading.Event()
    hashing = threading.Thread(target=lambda: (make_password("x"), done.set()))
    free = threading.Event()
    for _ in range(passwords.AT_ONCE):
        passwords._hashers().submit(free.wait)
    hashing.start()
    assert not done.wait(0.2)
    free.set()
    hashing.join()
    assert done.is_set()


def test_when_many_wait_the_next_is_told_to_come_again():
    """Otherwise: a flood from many addresses holds every place, and nobody manages anything."""
    with ExitStack() as crowd:
        for _ in range(8):
            crowd.enter_context(passwords._ROOM)
        with pytest.raises(Throttled) as refused:
            make_password("x")
    assert refused.value.headers()["Retry-After"] == "1"
    assert make_password("x")
