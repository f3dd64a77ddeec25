"""What an upstream says of a request while it works on it, passed on as far as the client asked."""

from collections.abc import Callable, Mapping

from agentxsuite.gateway.jsonrpc import META
from agentxsuite.gateway.mcp.wishes import Wishes
from agentxsuite.wire import JSON

PROGRESS, LOG = "notifications/progress", "notifications/message"
Tell = Callable[[Mapping[str, JSON]], None]


class Relay:
    """The Listener of one request; without ``tell`` nothing is passed on."""

    def __init__(self, wishes: Wishes, tell: Tell | None = None) -> None:
        self._wishes = wishes
        self._tell = tell

    @property
    def stamp(self) -> Mapping[str, JSON]:
        """What the upstream may know of the client: whether it can be asked, what it wants logged.

        The log level of a client that reads no stream is kept from it: nobody would hear.
        """
        told: dict[str, JSON] = {f"{META}clientCapabilities": self._wishes.capabilities}
        if self._tell and self._wishes.level:
            told[f"{META}logLevel"] = self._wishes.level
        return told

    async def hear(self, message: Mapping[str, JSON], /) -> None:
        """Pass on progress under the client's own token, and log messages that it wants."""
        params = message.get("params")
        if self._tell is None or not isinstance(params, dict):
            return
        method, wishes = message.get("method"), self._wishes
        if method == PROGRESS and wishes.progress is not None:
            told = {**unreserved(params), "progressToken": wishes.progress}
            self._tell(notification(PROGRESS, told))
        elif method == LOG and wishes.wants(params.get("level")):
            self._tell(notification(LOG, unreserved(params)))


def notification(method: str, params: Mapping[str, JSON]) -> dict[str, JSON]:
    """A message without an answer."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def unreserved(params: Mapping[str, JSON]) -> dict[str, JSON]:
    """Parameters without what the protocol has in ``_meta`` between the upstream and us."""
    meta = params.get("_meta")
    if not isinstance(meta, dict):
        return dict(params)
    return {**params, "_meta": {key: meta[key] for key in meta if not key.startswith(META)}}
