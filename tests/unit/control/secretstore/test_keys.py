import json
from base64 import urlsafe_b64encode

import pytest

from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKey, MasterKeys

GOOD = {"id": "a", "key": urlsafe_b64encode(bytes(32)).decode()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "secret-keys.json"


@pytest.fixture
def write(path):
    def write(text, mode=0o600):
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_a_made_file_loads_again(path):
    """Secrets stored before a restart would be lost with it."""
    made = MasterKeys.create(path)
    assert MasterKeys.load(path) == made
    assert made.find(made.wrapping.id) == made.wrapping


def test_nobody_else_may_read_the_file(path):
    """Every account of the machine could decrypt every secret."""
    MasterKeys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_never_made_over(path):
    """The keys of all stored secrets would be gone for ever."""
    MasterKeys.create(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        MasterKeys.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_an_over_readable_file_is_refused(write, mode):
    """An operator would not learn that the keys lie open."""
    with pytest.raises(KeysUnavailable, match="chmod 600"):
        MasterKeys.load(write(json.dumps({"keys": [GOOD]}), mode))


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {}}',
        '{"keys": 1}',
        json.dumps({"keys": [GOOD | {"key": "c2hvcnQ="}]}),
        json.dumps({"keys": [GOOD | {"key": "$$$"}]}),
        json.dumps({"keys": [GOOD | {"key": None}]}),
        json.dumps({"keys": [GOOD | {"id": ""}]}),
        json.dumps({"keys": [GOOD | {"id": 7}]}),
        json.dumps({"keys": [{"id": "a"}]}),
    ],
)
def test_a_broken_file_is_refused_without_showing_it(write, document):
    """Secrets would be encrypted with a key that is none, or a log would show a part of one."""
    with pytest.raises(KeysUnavailable, match="not a set of key-encryption keys") as refused:
        MasterKeys.load(write(document))
    assert "c2hvcnQ" not in str(refused.value)


def test_a_missing_file_is_told(path):
    """The operator would see a stack trace instead of which file is missing."""
    with pytest.raises(KeysUnavailable, match=r"secret-keys\.json: No such file"):
        MasterKeys.load(path)


def test_old_keys_are_still_found(write):
    """After a new key-encryption key nothing stored before could be used."""
    old, new = MasterKey.generate(), MasterKey.generate()
    keys = MasterKeys.load(write(json.dumps({"keys": [new.as_json(), old.as_json()]})))
    assert keys.wrapping == new
    assert keys.find(old.id) == old
    with pytest.raises(KeysUnavailable, match="unknown"):
        keys.find("unknown")


def test_a_key_does_not_show_itself():
    """A stack trace with local variables would tell the key of all secrets."""
    key = MasterKey.generate()
    assert str(key.raw) not in repr(MasterKeys((key,)))


def test_a_variable_can_hold_the_keys(monkeypatch):
    """Where the environment hands secrets over, somebody would have to write them to disk."""
    monkeypatch.setenv("KEYS_OF_TODAY", json.dumps({"keys": [GOOD]}))
    assert MasterKeys.load("env:KEYS_OF_TODAY").wrapping == MasterKey("a", bytes(32))


@pytest.mark.parametrize("held", [None, "", "[]", "c2hvcnQ"])
def test_a_bad_variable_is_refused_without_showing_it(monkeypatch, held):
    """A log would show a part of a key, or a secret be encrypted with none."""
    monkeypatch.delenv("KEYS_OF_TODAY", raising=False)
    if held is not None:
        monkeypatch.setenv("KEYS_OF_TODAY", held)
    with pytest.raises(KeysUnavailable, match="env:KEYS_OF_TODAY: ") as refused:
        MasterKeys.load("env:KEYS_OF_TODAY")
    assert "c2hvcnQ" not in str(refused.value)
