"""The two protocol eras of MCP: what is said to whom. Pure.

Since 2026-07-28 every request describes itself and no session exists; before, a conversation
opened with ``initialize``. An upstream is asked once and then spoken to in its own era.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agentxsuite import __version__
from agentxsuite.engines.upstream.errors import UpstreamProtocolError
from agentxsuite.wire import JSON

Era = Literal["stateless", "handshake"]

STATELESS_VERSION = "2026-07-28"
HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")

CLIENT_INFO = {"name": "agentxsuite", "version": __version__}
_RESERVED = "io.modelcontextprotocol/"
_STAMP: Mapping[str, JSON] = {
    f"{_RESERVED}protocolVersion": STATELESS_VERSION,
    f"{_RESERVED}clientInfo": CLIENT_INFO,
    f"{_RESERVED}clientCapabilities": {},
}
_NOTHING: Mapping[str, JSON] = {}


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What an upstream says about itself; names are its own claims and only for display."""

    era: Era
    protocol_version: str
    name: str = ""
    version: str = ""
    capabilities: Mapping[str, JSON] = field(default_factory=dict)


def caller_meta(meta: Mapping[str, JSON] | None) -> dict[str, JSON]:
    """A caller's ``_meta`` without the keys that are ours to set."""
    return {key: value for key, value in (meta or {}).items() if not key.startswith(_RESERVED)}


def stamped(
    params: Mapping[str, JSON], era: Era, more: Mapping[str, JSON] = _NOTHING
) -> Mapping[str, JSON]:
    """``params`` as a request of this era carries them; ``more`` goes over what we say of us."""
    if era == "handshake":
        return params
    return {**params, "_meta": {**params.get("_meta", {}), **_STAMP, **more}}


def initialize_params() -> dict[str, Any]:
    """How a handshake opens."""
    return {
        "protocolVersion": HANDSHAKE_VERSIONS[0],
        "capabilities": {},
        "clientInfo": CLIENT_INFO,
    }


def read_discovery(result: Mapping[str, JSON]) -> ServerInfo | None:
    """Who answered ``server/discover``; None where it speaks no stateless version of ours."""
    versions = result.get("supportedVersions")
    if not isinstance(versions, list) or STATELESS_VERSION not in versions:
        return None
    stamp = _mapping(result.get("_meta")).get(f"{_RESERVED}serverInfo")
    return _described("stateless", STATELESS_VERSION, stamp, result.get("capabilities"))


def read_handshake(result: Mapping[str, JSON]) -> ServerInfo:
    """Who answered ``initialize``; raises UpstreamProtocolError for a version we do not speak."""
    version = result.get("protocolVersion")
    if version not in HANDSHAKE_VERSIONS:
        raise UpstreamProtocolError("The upstream speaks no protocol version that we know.")
    info, capabilities = result.get("serverInfo"), result.get("capabilities")
    return _described("handshake", str(version), info, capabilities)


def shares_no_version(data: JSON) -> bool:
    """Whether the data of a version refusal (-32022) leaves no version to go on with."""
    supported = _mapping(data).get("supported")
    return isinstance(supported, list) and not any(v in HANDSHAKE_VERSIONS for v in supported)


def _described(era: Era, protocol: str, info: JSON, capabilities: JSON) -> ServerInfo:
    described = _mapping(info)
    name, version = described.get("name"), described.get("version")
    return ServerInfo(
        era,
        protocol,
        name if isinstance(name, str) else "",
        version if isinstance(version, str) else "",
        _mapping(capabilities),
    )


def _mapping(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}
