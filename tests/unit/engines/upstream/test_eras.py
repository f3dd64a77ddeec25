"""The two eras, from both sides."""

import pytest

from agentxsuite.engines.upstream import UpstreamProtocolError, eras
from agentxsuite.engines.upstream.eras import ServerInfo


@pytest.mark.parametrize(
    "result", [{}, {"supportedVersions": "2026-07-28"}, {"supportedVersions": ["2025-11-25"]}]
)
def test_discovery_of_another_era(result):
    """A server that knows the question but not the era would be spoken to wrongly."""
    assert eras.read_discovery(result) is None


def test_strange_self_description():
    """A server that misnames itself would be unusable."""
    result = {
        "supportedVersions": ["2026-07-28"],
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": 1, "version": []}},
        "capabilities": "all",
    }
    assert eras.read_discovery(result) == ServerInfo("stateless", "2026-07-28")


@pytest.mark.parametrize("version", ["2099-01-01", None, [], 1])
def test_handshake_of_an_unknown_version(version):
    """Both sides would talk past each other."""
    with pytest.raises(UpstreamProtocolError):
        eras.read_handshake({"protocolVersion": version})


@pytest.mark.parametrize(
    ("data", "hopeless"),
    [
        ({"supported": ["2099-01-01"]}, True),
        ({"supported": ["2025-11-25", "2099-01-01"]}, False),
        ({}, False),
        (None, False),
    ],
)
def test_versions_in_common(data, hopeless):
    """A person would see a strange error instead of that no version fits."""
    assert eras.shares_no_version(data) is hopeless
