"""The key file: nobody else reads it, and it is never half written."""

import os
import stat

import pytest

from agentxsuite.engines.tokens import KeyFileInvalid, KeyRing, keyfile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "token-keys.json"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def kids(ring):
    return [key.kid for key in ring.keys]


def test_a_created_ring_can_be_loaded_again(path):
    """After a restart no token verifies."""
    assert kids(KeyRing.create(path)) == kids(KeyRing.load(path))


def test_a_rotated_ring_survives_a_restart(path):
    """After rotation and restart the wrong key signs, or old tokens die."""
    rotated = KeyRing.create(path).rotate()
    rotated.save(path)
    assert kids(KeyRing.load(path)) == kids(rotated)


def test_the_file_is_private_whatever_the_umask(path):
    """Every user of the machine can sign tokens."""
    before = os.umask(0)
    try:
        ring = KeyRing.create(path)
        assert mode(path) == 0o600
        ring.save(path)
        assert mode(path) == 0o600
    finally:
        os.umask(before)


def test_an_existing_file_is_never_overwritten(path):
    """Two workers that start together each keep a key that the other does not know."""
    first = KeyRing.create(path)
    with pytest.raises(FileExistsError):
        KeyRing.create(path)
    assert kids(KeyRing.load(path)) == kids(first)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_failed_write_leaves_the_old_file_and_no_draft(path, tmp_path):
    """A full disk during rotation destroys the signing keys."""
    ring = KeyRing.create(path)
    with pytest.raises(TypeError):
        keyfile.replace(path, "not bytes")
    assert kids(KeyRing.load(path)) == kids(ring)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o620, 0o660, 0o644, 0o666, 0o601])
def test_a_file_that_others_can_reach_is_refused(path, loose):
    """A copied key file with loose rights goes into service unnoticed."""
    KeyRing.create(path)
    path.chmod(loose)
    with pytest.raises(KeyFileInvalid, match=f"{loose:04o}"):
        KeyRing.load(path)


def test_a_stricter_file_is_fine(path):
    """A file mounted read-only for its owner is refused."""
    ring = KeyRing.create(path)
    path.chmod(0o400)
    assert kids(KeyRing.load(path)) == kids(ring)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"keys": []}',
        b'{"keys": 7}',
        b'{"keys": ["canary"]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "d": "canary"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "X25519", "d": "canary"}]}',
        b'{"keys": [{"kty": "oct", "k": "canary"}]}',
    ],
)
def test_a_broken_file_is_refused_without_showing_it(path, content):
    """A broken key file crashes the start, or its content ends up in the log."""
    keyfile.create(path, content)
    with pytest.raises(KeyFileInvalid) as caught:
        KeyRing.load(path)
    assert "canary" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_told_apart(path):
    """The server makes a new key where it should have complained about the old one's rights."""
    with pytest.raises(FileNotFoundError):
        KeyRing.load(path)
