"""The typed blanks of a command template: each turns a tenant's text into one safe argument."""

import os
import re
from pathlib import PurePath
from typing import Annotated

import msgspec
import re2

MAX_TEXT = 1024

_INTEGER = re.compile(r"-?\d{1,18}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NonEmpty = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class _Typed(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    default: str | int | None = None


class Text(_Typed, frozen=True, tag="string"):
    """Free text that matches the whole of ``pattern`` (RE2) and does not look like an option."""

    pattern: str

    def __post_init__(self) -> None:
        """Refuse a pattern that is none; raises ValueError."""
        try:
            re2.compile(self.pattern, _quiet())
        except re2.error as error:
            raise ValueError(f"pattern: {error.args[0].decode()}") from None

    def accept(self, text: str) -> str:
        """The argument for ``text``; raises ValueError."""
        if text.startswith("-") or not re2.compile(self.pattern, _quiet()).fullmatch(text):
            raise ValueError("does not have the required form")
        return text


class Integer(_Typed, frozen=True, tag="integer"):
    """A whole number within bounds."""

    minimum: int
    maximum: int

    def accept(self, text: str) -> str:
        """The argument for ``text``, in its plainest spelling; raises ValueError."""
        if not _INTEGER.fullmatch(text) or not self.minimum <= int(text) <= self.maximum:
            raise ValueError(f"is not a whole number from {self.minimum} to {self.maximum}")
        return str(int(text))


class Choice(_Typed, frozen=True, tag="enum"):
    """One of the operator's own words."""

    values: _NonEmpty

    def accept(self, text: str) -> str:
        """The argument for ``text``; raises ValueError."""
        if text not in self.values:
            raise ValueError(f"is none of {', '.join(self.values)}")
        return text


class Path(_Typed, frozen=True, tag="path"):
    """A path below ``under``, with symbolic links followed before it is judged."""

    under: str

    def __post_init__(self) -> None:
        """Refuse a root that depends on where the server was started; raises ValueError."""
        if not self.under.startswith("/"):
            raise ValueError("under: not an absolute path")

    def accept(self, text: str) -> str:
        """The resolved path for ``text``, absolute or below the root; raises ValueError."""
        root = os.path.realpath(self.under)
        resolved = os.path.realpath(PurePath(root, text))
        if os.path.commonpath((root, resolved)) != root:
            raise ValueError("leads out of its folder")
        return resolved


Parameter = Text | Integer | Choice | Path


def accept(parameter: Parameter, text: str | None) -> str:
    """The argument for ``text``, or for the default where nothing was given; raises ValueError."""
    if text is None:
        if parameter.default is None:
            raise ValueError("is missing")
        text = str(parameter.default)
    if len(text) > MAX_TEXT or _CONTROL.search(text):
        raise ValueError("is too long or has control characters")
    return parameter.accept(text)


def _quiet() -> "re2.Options":
    options = re2.Options()
    options.log_errors = False  # a bad pattern is told to the operator, not to stderr
    return options
