"""Reading a tool's definition for what it may hide from people and tell to models. Pure.

A definition is text that a language model will obey. What a reviewer cannot see, or what speaks
to the model instead of describing a tool, is a reason to look twice; it is no proof, and its
absence is none either.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import re2

from agentxsuite.wire import JSON

MAX_FINDINGS = 20
SHOWN = 80  # characters of a phrase


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that made the scan stop; `path` is a JSON Pointer into the definition."""

    code: str
    path: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return plain JSON."""
        return asdict(self)


_ALLOWED: Final = frozenset("\n\t\r")
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"  # inside an emoji they are how it is written
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_TAGS: Final = range(0xE0000, 0xE0080)
_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

_NEAR = r"[^.!?]{0,40}?"  # within the same sentence
_PEOPLE = r"(users?|humans?|persons?|anyone|anybody|people)"
_COMMANDS: Final = (
    (
        rf"\b(ignore|disregard|forget|override|bypass)\b{_NEAR}"
        r"\b(instructions?|prompts?|directives?|guidelines?)\b"
    ),
    (
        r"\b(do not|don't|don\x{2019}t|never|must not)"
        r" (tell|inform|mention|notify|alert|reveal|show|disclose|warn|ask)\b"
        rf"{_NEAR}\b{_PEOPLE}\b"
    ),
    (
        r"\bwithout (telling|informing|mentioning|notifying|alerting|showing|warning|asking)\b"
        rf"{_NEAR}\b{_PEOPLE}\b"
    ),
    r"</?\s*(important|system|instructions?|secret|hidden|assistant|admin|developer)\s*/?>",
    r"\bsystem prompts?\b",
    (
        rf"\b(before|instead of|prior to) (using|calling|invoking|running)\b{_NEAR}"
        r"\b(this|any|other|the)\b[^.!?]{0,20}?\btools?\b"
    ),
    (
        rf"\b(you must|always) (first )?(call|use|invoke|run|read|send|include)\b{_NEAR}"
        r"\b(before|first|instead|files?|contents?)\b"
    ),
    r"~/\.(ssh|aws|cursor)\b|\bid_(rsa|ed25519)\b|/etc/(passwd|shadow)\b|\bmcp\.json\b",
    (
        rf"\b(send|forward|exfiltrate|leak)\b{_NEAR}"
        r"\b(conversation|chat history|credentials?|passwords?|private keys?)\b"
    ),
    r"\byou are (now|no longer)\b",
    r"\bnew instructions?\s*:",
)
_PHRASES: Final = tuple(re2.compile(pattern) for pattern in _COMMANDS)
_ANY_PHRASE: Final = re2.compile("|".join(f"(?:{pattern})" for pattern in _COMMANDS))
_APART = " . "  # between texts: no phrase of one is broken by it


def scan(definition: JSON) -> list[Finding]:
    """Return at most 20 findings in all texts of a definition, names included."""
    found: list[Finding] = []
    texts = list(_texts(definition, ""))
    commands = _ANY_PHRASE.search(_plain(_APART.join(text for _, text in texts)))
    for path, text in texts:
        found.extend(_characters(path, text))
        if commands:  # most definitions have none: one look at the whole is enough
            found.extend(_phrases(path, text))
        if len(found) >= MAX_FINDINGS:
            break
    return found[:MAX_FINDINGS]


def _texts(value: JSON, path: str) -> Iterator[tuple[str, str]]:
    """Every string with where it stands, keys of objects too."""
    todo = [(path, value)]
    while todo:
        at, item = todo.pop()
        if isinstance(item, str):
            yield at, item
        elif isinstance(item, dict):
            for name, inner in item.items():
                below = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
                yield below, name
                todo.append((below, inner))
        elif isinstance(item, list):
            todo.extend((f"{at}/{number}", inner) for number, inner in enumerate(item))


def _characters(path: str, text: str) -> Iterator[Finding]:
    """The first character of each hidden kind."""
    if text.isascii() and text.isprintable():
        return
    seen: set[str] = set()
    for position, character in enumerate(text):
        code = _kind(character)
        if code and code not in seen and not _in_emoji(text, position):
            seen.add(code)
            name = unicodedata.name(character, "no name")
            yield Finding(code, path, f"U+{ord(character):04X} ({name}) at {position}")


def _kind(character: str) -> str | None:
    number = ord(character)
    if number in _TAGS:
        return "tag_character"
    if character in _BIDI:
        return "bidi_control"
    if character in _BLANK or any(number in selectors for selectors in _SELECTORS):
        return "invisible_character"
    hidden = unicodedata.category(character) in _UNSEEN and character not in _ALLOWED
    return "invisible_character" if hidden else None


def _in_emoji(text: str, position: int) -> bool:
    """Whether this is the one character that is written between, or after, parts of an emoji."""
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    if text[position] == _EMOJI_STYLE:
        return _is(before, "So", "Sm", "Sk", "Po", "Nd")
    joins = text[position] == _JOINER and (before == _EMOJI_STYLE or _is(before, "So", "Sk"))
    return joins and _is(after, "So")


def _is(character: str, *categories: str) -> bool:
    return character != "" and unicodedata.category(character) in categories


def _phrases(path: str, text: str) -> Iterator[Finding]:
    plain = _plain(text)
    for pattern in _PHRASES:
        if match := pattern.search(plain):
            yield Finding("instruction_phrase", path, match.group()[:SHOWN])
            return


def _plain(text: str) -> str:
    """The text as it reads, whatever its letters and spaces are spelled with."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
