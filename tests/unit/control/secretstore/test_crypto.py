from dataclasses import replace
from uuid import uuid4

import pytest

from agentxsuite.control.secretstore.crypto import (
    CannotOpen,
    DataKeyPlace,
    SecretPlace,
    new_key,
    seal,
    unseal,
)

PLACE = SecretPlace(uuid4(), uuid4(), uuid4(), 1, "upstream")
MOVES = {
    "organization": uuid4(),
    "environment": None,
    "secret": uuid4(),
    "version": 2,
    "purpose": "inbound",
}


@pytest.fixture
def key():
    return new_key()


def test_what_was_sealed_opens_in_its_place(key):
    """A stored credential could never be used again."""
    assert unseal(key, seal(key, b"value", PLACE), PLACE) == b"value"


def test_no_two_seals_are_alike(key):
    """Equal credentials would show that they are equal, and a repeated nonce breaks AES-GCM."""
    assert len({seal(key, b"value", PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize("moved", MOVES)
def test_it_opens_nowhere_else(key, moved):
    """Whoever can write the database could move a tenant's credential to where they may use it."""
    sealed = seal(key, b"value", PLACE)
    with pytest.raises(CannotOpen):
        unseal(key, sealed, replace(PLACE, **{moved: MOVES[moved]}))


def test_a_data_key_is_no_secret(key):
    """A wrapped data key could be read back as if it were a secret."""
    place = DataKeyPlace(PLACE.organization, 1, "k")
    with pytest.raises(CannotOpen):
        unseal(key, seal(key, b"value", place), PLACE)


def test_another_key_does_not_open_it(key):
    """The data key of one organization would open the secrets of another."""
    with pytest.raises(CannotOpen):
        unseal(new_key(), seal(key, b"value", PLACE), PLACE)


def test_no_altered_byte_goes_unseen(key):
    """A credential could be changed in the database without anybody noticing."""
    sealed = seal(key, b"value", PLACE)
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(CannotOpen):
            unseal(key, bytes(altered), PLACE)


def test_no_shortened_text_opens(key):
    """A damaged row would end in a crash instead of a refusal."""
    sealed = seal(key, b"value", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            unseal(key, sealed[:length], PLACE)
