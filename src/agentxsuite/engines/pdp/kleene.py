"""Three-valued logic (Kleene's strong tables), lifted to sets of values.

A truth is a set of the values something can still take, as bits: a known condition has exactly one,
a condition on an unknown input has all three. One evaluator so serves calls and lists alike.
"""

from collections.abc import Callable
from itertools import product

Truth = int

FALSE: Truth = 1
TRUE: Truth = 2
ERROR: Truth = 4
ANY: Truth = FALSE | TRUE | ERROR

_VALUES = (FALSE, TRUE, ERROR)
_SETS = range(ANY + 1)


def _and(left: Truth, right: Truth) -> Truth:
    if FALSE in (left, right):
        return FALSE
    return ERROR if ERROR in (left, right) else TRUE


def _not(value: Truth) -> Truth:
    return {FALSE: TRUE, TRUE: FALSE, ERROR: ERROR}[value]


def _or(left: Truth, right: Truth) -> Truth:
    return _not(_and(_not(left), _not(right)))


def _members(truths: Truth) -> list[Truth]:
    return [value for value in _VALUES if truths & value]


def _union(values: list[Truth]) -> Truth:
    return sum(set(values))


def _lifted(connective: Callable[[Truth, Truth], Truth]) -> tuple[tuple[Truth, ...], ...]:
    def cell(left: Truth, right: Truth) -> Truth:
        return _union([connective(*pair) for pair in product(_members(left), _members(right))])

    return tuple(tuple(cell(left, right) for right in _SETS) for left in _SETS)


# CONJUNCTION[a][b] and DISJUNCTION[a][b]: every value that two sets of values can yield together.
CONJUNCTION = _lifted(_and)
DISJUNCTION = _lifted(_or)
NEGATION = tuple(_union([_not(value) for value in _members(truths)]) for truths in _SETS)


def known(flag: object) -> Truth:
    """TRUE or FALSE."""
    return TRUE if flag else FALSE


def conjunction(truths: list[Truth]) -> Truth:
    """The truth of all of them together; TRUE of none."""
    result = TRUE
    for truth in truths:
        result = CONJUNCTION[result][truth]
    return result


def disjunction(truths: list[Truth]) -> Truth:
    """The truth of any of them; FALSE of none."""
    result = FALSE
    for truth in truths:
        result = DISJUNCTION[result][truth]
    return result
