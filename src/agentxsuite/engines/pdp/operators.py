"""Operators: each turns a rule's operand into a test of a request's value.

A test answers ERROR for a value of the wrong kind: a condition that cannot be judged closes the
door. ``docs/policy.md`` holds the table of kinds.
"""

import operator
from collections.abc import Callable
from functools import partial

import re2

from agentxsuite.engines.pdp import addresses, kinds
from agentxsuite.engines.pdp.kinds import expect, expect_list, kind_of
from agentxsuite.engines.pdp.kleene import (
    ERROR,
    NEGATION,
    Truth,
    conjunction,
    disjunction,
    known,
)
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.wire import JSON

Test = Callable[[JSON], Truth]

MAX_PATTERN = 256
_REGEX_MEMORY = 1 << 20  # bytes that one compiled pattern may use


def _equal(operand: JSON) -> Test:
    kind = expect(operand, *sorted(kinds.SCALARS))
    if kind == kinds.NULL:
        return lambda value: known(value is None)
    return lambda value: known(value == operand) if kind_of(value) == kind else ERROR


def _different(operand: JSON) -> Test:
    return _negated(_equal(operand))


def _none_of(operand: JSON) -> Test:
    return _negated(_one_of(operand))


def _negated(test: Test) -> Test:
    return lambda value: NEGATION[test(value)]


def _compared(
    compare: Callable[[JSON, JSON], bool], allowed: tuple[str, ...], operand: JSON
) -> Test:
    kind = expect(operand, *allowed)
    return lambda value: known(compare(value, operand)) if kind_of(value) == kind else ERROR


def _one_of(operand: JSON) -> Test:
    tagged = {(kind_of(item), item) for item in expect_list(operand)}
    seen = {kind for kind, _ in tagged}

    def test(value: JSON) -> Truth:
        kind = kind_of(value)
        return known((kind, value) in tagged) if kind in seen else ERROR

    return test


def _contains(operand: JSON) -> Test:
    item = _equal(operand)
    kind = kind_of(operand)

    def test(value: JSON) -> Truth:
        match kind_of(value):
            case kinds.ARRAY:
                return disjunction([item(element) for element in value])
            case kinds.STRING if kind == kinds.STRING:
                return known(operand in value)
            case _:
                return ERROR

    return test


def _subset(operand: JSON) -> Test:
    item = _one_of(operand)

    def test(value: JSON) -> Truth:
        if kind_of(value) != kinds.ARRAY:
            return ERROR
        return conjunction([item(element) for element in value])

    return test


def _exists(operand: JSON) -> Test:
    expect(operand, kinds.BOOLEAN)
    return lambda _: known(operand)


def _length(operand: JSON) -> Test:
    if type(operand) is not int or operand < 0:
        raise Refused("bad_operand", "value is a whole number, 0 or more")

    def test(value: JSON) -> Truth:
        if kind_of(value) in {kinds.STRING, kinds.ARRAY, kinds.OBJECT}:
            return known(len(value) <= operand)
        return ERROR

    return test


def _matches(operand: JSON) -> Test:
    expect(operand, kinds.STRING)
    if len(operand) > MAX_PATTERN:
        raise Refused("bad_regex", f"a regular expression has at most {MAX_PATTERN} characters")
    pattern = _regex(operand)

    def test(value: JSON) -> Truth:
        if kind_of(value) != kinds.STRING:
            return ERROR
        try:
            return known(pattern.search(value))
        except UnicodeEncodeError:  # half a surrogate pair is no text
            return ERROR

    return test


def _regex(text: str) -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _REGEX_MEMORY
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise Refused("bad_regex", f"not a regular expression of RE2: {error}") from None


_ORDERED = (kinds.NUMBER, kinds.STRING)
_TEXT = (kinds.STRING,)

TESTS: dict[str, Callable[[JSON], Test]] = {
    "eq": _equal,
    "ne": _different,
    "lt": partial(_compared, operator.lt, _ORDERED),
    "lte": partial(_compared, operator.le, _ORDERED),
    "gt": partial(_compared, operator.gt, _ORDERED),
    "gte": partial(_compared, operator.ge, _ORDERED),
    "in": _one_of,
    "not_in": _none_of,
    "prefix": partial(_compared, str.startswith, _TEXT),
    "suffix": partial(_compared, str.endswith, _TEXT),
    "contains": _contains,
    "exists": _exists,
    "cidr": addresses.within,
    "matches": _matches,
    "len_lte": _length,
    "subset": _subset,
}
