"""How a server says that one of its lists has changed, and how one asks to be told. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentxsuite.engines.upstream.jsonrpc import Message
from agentxsuite.wire import JSON

LISTEN = "subscriptions/listen"


class Notice(NamedTuple):
    """The capability that announces it, the method of the message, and the word to ask for it."""

    capability: str
    method: str
    word: str


NOTICES = (
    Notice("tools", "notifications/tools/list_changed", "toolsListChanged"),
    Notice("prompts", "notifications/prompts/list_changed", "promptsListChanged"),
    Notice("resources", "notifications/resources/list_changed", "resourcesListChanged"),
)
_METHODS = frozenset(notice.method for notice in NOTICES)


def announced(capabilities: Mapping[str, JSON]) -> Iterator[Notice]:
    """What a server says it would tell of."""
    for notice in NOTICES:
        capability = capabilities.get(notice.capability)
        if isinstance(capability, dict) and capability.get("listChanged") is True:
            yield notice


def notice_of(message: Message) -> str | None:
    """The notice's method, where a message is one."""
    method = message.get("method")
    return method if isinstance(method, str) and method in _METHODS else None
