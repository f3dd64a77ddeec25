"""The signing keys are made on the embedded default only, and a bad file is told in one line."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from agentxsuite.control.agents.keys import key_ring


@pytest.fixture
def path(settings, tmp_path):
    settings.TOKEN_KEYS = tmp_path / "keys.json"
    return settings.TOKEN_KEYS


def test_the_embedded_default_makes_its_keys_once(settings, path):
    """Otherwise: the demo needs a set-up step, or forgets all tokens at each start."""
    settings.EMBEDDED = True
    first = key_ring()
    assert key_ring().signing.kid == first.signing.kid
    assert path.stat().st_mode & 0o777 == 0o600


def test_production_never_makes_keys_by_itself(settings, path):
    """Otherwise: each worker signs with keys that the others do not know."""
    settings.EMBEDDED = False
    with pytest.raises(ImproperlyConfigured, match="there is no file"):
        key_ring()
    assert not path.exists()


def test_a_file_that_others_can_read_is_refused(settings, path):
    """Otherwise: anybody on the machine signs tokens."""
    settings.EMBEDDED = True
    key_ring()
    path.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        key_ring()
