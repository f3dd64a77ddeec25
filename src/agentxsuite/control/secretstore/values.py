"""Values that must not be seen: what shows them has to ask for it by name."""

import hmac
from dataclasses import dataclass
from typing import NoReturn

from agentxsuite import masking

SHOWN = "[secret]"


class Concealed:
    """A text that no repr, str, format, log line or pickle shows; `reveal()` hands it over."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, which no log shows from now on."""
        return masking.learn(self._text)

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return SHOWN

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Concealed):
            return hmac.compare_digest(self._text.encode(), other._text.encode())
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")


@dataclass(frozen=True, slots=True)
class Revealed:
    """The current value of a secret, and the number of its version, which may be told."""

    value: Concealed
    version: int


class SecretUnreadable(Exception):
    """A credential that cannot be had or used now; the text shows nothing of it."""
