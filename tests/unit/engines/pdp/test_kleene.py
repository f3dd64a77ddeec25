"""Kleene's tables and their lifting to sets."""

from itertools import product

import pytest

from agentxsuite.engines.pdp import kleene
from agentxsuite.engines.pdp.kleene import (
    ANY,
    CONJUNCTION,
    DISJUNCTION,
    ERROR,
    FALSE,
    NEGATION,
    TRUE,
    conjunction,
    disjunction,
)

VALUES = (FALSE, TRUE, ERROR)


def test_tables_of_three_values():
    """Losing this, the order of two comparisons decides whether an error closes the door."""
    for left, right in product(VALUES, VALUES):
        both = FALSE if FALSE in (left, right) else ERROR if ERROR in (left, right) else TRUE
        either = TRUE if TRUE in (left, right) else ERROR if ERROR in (left, right) else FALSE
        assert (CONJUNCTION[left][right], DISJUNCTION[left][right]) == (both, either)
    assert [NEGATION[value] for value in VALUES] == [TRUE, FALSE, ERROR]


def test_tables_are_what_the_connectives_make():
    """Losing this, the tables that decide are not the logic that is written down."""
    assert kleene._lifted(kleene._and) == CONJUNCTION
    assert kleene._lifted(kleene._or) == DISJUNCTION
    assert [kleene._not(value) for value in VALUES] == [TRUE, FALSE, ERROR]


@pytest.mark.parametrize("table", [CONJUNCTION, DISJUNCTION])
def test_sets_hold_exactly_what_their_members_yield(table):
    """Losing this, lists guess about arguments they do not know."""
    for left, right in product(range(ANY + 1), repeat=2):
        members = [table[a][b] for a in VALUES if a & left for b in VALUES if b & right]
        assert table[left][right] == sum(set(members))


def test_negation_of_sets():
    """Losing this, a negated condition on unknown arguments hides tools."""
    assert [NEGATION[each] for each in range(ANY + 1)] == [0, 2, 1, 3, 4, 6, 5, 7]


def test_joining_many():
    """Losing this, lists inside arguments are judged by their first elements."""
    assert (conjunction([]), disjunction([])) == (TRUE, FALSE)
    assert conjunction([TRUE, ERROR, FALSE]) == FALSE
    assert disjunction([FALSE, ERROR, TRUE]) == TRUE
    assert (conjunction([TRUE, ERROR]), disjunction([FALSE, ERROR])) == (ERROR, ERROR)
