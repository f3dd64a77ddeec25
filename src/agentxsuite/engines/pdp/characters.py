"""What may stand in one segment of a target, so that no two names look alike.

A segment is decoded once and written back in one canonical form: matching is then plain comparison
of strings. Look-alikes follow the idea of Unicode UTS 39: no compatibility forms, no mixture of
alphabets, no word that another alphabet's letters spell like a Latin one.
"""

import re
import unicodedata

from agentxsuite.engines.pdp.problems import Refused

_ESCAPES = re.compile(rb"%([0-9A-Fa-f]{2})|%")
_SEPARATORS = re.compile(r"[/\\]")
_CANONICAL = str.maketrans({"%": "%25", "/": "%2F", "*": "%2A"})

# Writing systems that are used together, and beside Latin letters.
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_LATIN_LETTERS = frozenset("ßæøœþðłđħŋÆØŒÞÐŁĐĦŊẞ")
_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝхуьАВЕЅІЈКМНОРСТХУονικυρχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոցհզՕՍ")


def canonical(segment: str) -> str:
    """The one spelling of a percent-encoded segment; raises Refused."""
    if segment.isalnum() and segment.isascii():  # nearly all of them, and nothing to look at
        return segment
    text = _decoded(segment) if "%" in segment else segment
    _refuse_traversal(text)
    _refuse_confusable(text)
    return text.translate(_CANONICAL)


def _decoded(segment: str) -> str:
    def byte(match: re.Match[bytes]) -> bytes:
        if match.group(1) is None:
            raise Refused("bad_escape", "a % is followed by two hexadecimal digits")
        return bytes.fromhex(match.group(1).decode())

    try:
        return _ESCAPES.sub(byte, segment.encode()).decode()
    except UnicodeError:
        raise Refused("bad_escape", "percent-encoded bytes are not UTF-8") from None


def _refuse_traversal(text: str) -> None:
    if not text:
        raise Refused("empty_segment", "a segment is empty")
    if not {".", ".."}.isdisjoint(_SEPARATORS.split(text)):
        raise Refused("traversal", "a segment is . or ..")


def _refuse_confusable(text: str) -> None:
    if text != text.strip(" "):
        raise Refused("confusable", "a segment starts or ends with a space")
    if text.isascii():
        if not text.isprintable():
            raise Refused("control_character", "a segment has a control character")
        return
    if unicodedata.normalize("NFKC", text) != text:
        raise Refused("confusable", "a segment is not in Unicode's normal form NFKC")
    foreign = [letter for letter in text if not letter.isascii()]
    for letter in foreign:
        _refuse_character(letter)
    alphabets = {_alphabet(letter) for letter in text if letter.isalpha()} - _EAST_ASIAN
    if len(alphabets) > 1:
        raise Refused("confusable", f"a segment mixes alphabets: {', '.join(sorted(alphabets))}")
    if all(letter in _LOOKALIKES for letter in foreign):
        raise Refused("confusable", "a segment reads like a Latin word in another alphabet")


def _refuse_character(letter: str) -> None:
    category = unicodedata.category(letter)
    if category[0] == "C":
        raise Refused("control_character", f"U+{ord(letter):04X} is not a visible character")
    if category[0] not in {"L", "M"}:
        raise Refused("confusable", f"U+{ord(letter):04X} is neither a letter nor ASCII")
    if _alphabet(letter) == "LATIN" and not _plainly_latin(letter):
        raise Refused("confusable", f"U+{ord(letter):04X} reads like another Latin letter")


def _plainly_latin(letter: str) -> bool:
    return unicodedata.normalize("NFD", letter)[0].isascii() or letter in _LATIN_LETTERS


def _alphabet(letter: str) -> str:
    """The first word of a letter's name, which some rare scripts lack."""
    return re.split(r"[ -]", unicodedata.name(letter, ""))[0]
