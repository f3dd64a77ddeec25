"""What must not be read in a log: every secret that this process has used, however it is written.

Of a secret only keyed hashes of its spellings are kept (Python's own of texts, whose key is random
in each process), so that this is no second place to read secrets from. A text is looked through
place by place: a known beginning tells the lengths to try. That costs the same for one secret and
for thousands, and nothing until something is written.

Learn only what has opened a door, or was stored: else a stranger could have words masked at will.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from threading import RLock
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "[masked]"
LEAST: Final = 8  # characters: what is shorter would mask half of every line
MOST: Final = 2_000  # secrets of a generation; two generations are known
_URLSAFE: Final = str.maketrans("+/", "-_")
_ESCAPE: Final = re.compile("%..")
# Of base64: digits shared with so many bytes before, and with what comes after the last group.
_SHARED_BEFORE: Final = (0, 2, 3)
_SHARED_AFTER: Final = (0, 3, 2)


class Secrets:
    """The secrets used last: those not used for a whole generation are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._young, self._old = _Generation(), _Generation()
        self._lock = RLock()  # a line may be written, by a signal, while another secret is learnt

    def learn(self, value: str) -> str:
        """Know a secret from now on; returns it."""
        if len(value) >= LEAST and value not in self._young:
            with self._lock:
                if len(self._young.values) >= self._most:
                    self._young, self._old = _Generation(), self._young
                self._young.add(value)
        return value

    def mask(self, text: str) -> str:
        """The text without any secret known."""
        with self._lock:
            spans = list(self._spans(text))
        parts: list[str] = []
        done = 0
        for start, end in spans:
            parts += text[done:start], MASK
            done = end
        return "".join((*parts, text[done:])) if parts else text

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets stand; those that touch or overlap are one."""
        start = end = -1
        for place in range(len(text) - LEAST + 1):
            longest = self._longest(text, place)
            if not longest:
                continue
            if place > end:
                if end > 0:
                    yield start, end
                start = place
            end = max(end, place + longest)
        if end > 0:
            yield start, end

    def _longest(self, text: str, place: int) -> int:
        beginning = hash(text[place : place + LEAST])
        return max(each.longest(text, place, beginning) for each in (self._young, self._old))


class _Generation:
    """Hashes of secrets; of their spellings, the lengths by the first few characters."""

    def __init__(self) -> None:
        self.values: set[int] = set()
        self._lengths: dict[int, tuple[int, ...]] = {}
        self._spelled: set[int] = set()

    def __contains__(self, value: str) -> bool:
        return hash(value) in self.values

    def add(self, value: str) -> None:
        for spelling in spellings(value):
            beginning, length = hash(spelling[:LEAST]), len(spelling)
            lengths = self._lengths.get(beginning, ())
            if length not in lengths:
                self._lengths[beginning] = (*lengths, length)
            self._spelled.add(hash(spelling))
        self.values.add(hash(value))

    def longest(self, text: str, place: int, beginning: int) -> int:
        """How long the longest spelling is that stands at a place; 0 for none."""
        lengths = self._lengths.get(beginning, ())
        ends = (size for size in lengths if hash(text[place : place + size]) in self._spelled)
        return max(ends, default=0)


def spellings(value: str) -> set[str]:
    """The ways in which a secret may be written: as it is, escaped, in URLs, base64 and hex."""
    data = value.encode("utf-8", "surrogatepass")
    urls = {quote(data, safe=""), quote(data), quote_plus(data)}
    words = {value, repr(value)[1:-1], json.dumps(value)[1:-1], *urls}
    coded = {form for word in words for form in _coded(word.encode("utf-8", "surrogatepass"))}
    return words | coded | {_lower(url) for url in urls}


def _coded(data: bytes) -> Iterator[str]:
    """Hex, and base64: whole, and at each of the three places to begin within a longer text."""
    yield data.hex()
    yield data.hex().upper()
    whole = b64encode(data).decode()
    for digits in (whole, whole.rstrip("="), *_within(data)):
        yield digits
        yield digits.translate(_URLSAFE)


def _within(data: bytes) -> Iterator[str]:
    """The digits that are these bytes' alone, whatever is encoded before and after them."""
    for before in range(3):
        digits = b64encode(bytes(before) + data).decode()
        shared = _SHARED_AFTER[(before + len(data)) % 3]
        yield digits[_SHARED_BEFORE[before] : len(digits) - shared]


def _lower(url: str) -> str:
    """The same with its escapes in lower case (RFC 3986 section 2.1)."""
    return _ESCAPE.sub(lambda escape: escape.group().lower(), url)


_used: Final = Secrets()
learn, mask = _used.learn, _used.mask
