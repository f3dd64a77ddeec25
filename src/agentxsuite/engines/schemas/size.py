"""How large a value is, in the terms that a check's time depends on."""

from typing import NamedTuple, Self

from agentxsuite.wire import JSON

BITS = 63  # beside the sign


class Size(NamedTuple):
    """Values inside each other, characters of texts and names, integers beyond 64 bits."""

    values: int
    characters: int
    big: int

    @classmethod
    def of(cls, value: JSON) -> Self:
        """The size of ``value``, by visiting all of it."""
        values = characters = big = 0
        level = [value]
        while level:
            values += len(level)
            texts = [item for item in level if isinstance(item, str)]
            big += sum(map(is_big, level))
            objects = [item for item in level if isinstance(item, dict)]
            characters += sum(len(text) for text in texts)
            characters += sum(len(name) for item in objects for name in item)
            level = [child for item in level if isinstance(item, list) for child in item]
            level += [child for item in objects for child in item.values()]
        return cls(values, characters, big)


def is_big(value: JSON) -> bool:
    """Whether this is an integer that jsonschema-rs does not hold in 64 bits."""
    return isinstance(value, int) and value.bit_length() > BITS
