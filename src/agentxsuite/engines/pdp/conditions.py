"""Conditions: a tree of ``all``, ``any`` and ``not`` over leaves, judged without short cuts.

Leaves never raise: what cannot be judged is ERROR, so the order of children never matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agentxsuite.engines.pdp.kleene import (
    ANY,
    CONJUNCTION,
    DISJUNCTION,
    FALSE,
    NEGATION,
    TRUE,
    Truth,
)
from agentxsuite.engines.pdp.operators import Test
from agentxsuite.engines.pdp.paths import Absent, Facts, Path
from agentxsuite.wire import JSON


@dataclass(slots=True, eq=False)
class Leaf:
    """One comparison; ``missing`` and ``misplaced`` are its truths where the path leads nowhere."""

    path: Path
    op: str
    value: JSON
    test: Test
    missing: Truth
    misplaced: Truth

    def truth(self, facts: Facts) -> Truth:
        """What is known of this comparison."""
        value = self.path.find(facts)
        if type(value) is not Absent:
            return self.test(value)
        if value is Absent.UNKNOWN:
            return ANY
        return self.missing if value is Absent.MISSING else self.misplaced


@dataclass(slots=True, eq=False)
class AllOf:
    """False if any child is false, else error if any errs, else true."""

    children: tuple["Node", ...]

    def truth(self, facts: Facts) -> Truth:
        """What is known of all children together."""
        result = TRUE
        for child in self.children:
            result = CONJUNCTION[result][child.truth(facts)]
        return result


@dataclass(slots=True, eq=False)
class AnyOf:
    """True if any child is true, else error if any errs, else false."""

    children: tuple["Node", ...]

    def truth(self, facts: Facts) -> Truth:
        """What is known of any of the children."""
        result = FALSE
        for child in self.children:
            result = DISJUNCTION[result][child.truth(facts)]
        return result


@dataclass(slots=True, eq=False)
class Not:
    """True for false, false for true; an error stays one."""

    child: "Node"

    def truth(self, facts: Facts) -> Truth:
        """What is known of the opposite."""
        return NEGATION[self.child.truth(facts)]


Node = Leaf | AllOf | AnyOf | Not


def leaves(node: Node | None) -> Iterator[Leaf]:
    """Every comparison of a condition, in the order in which they are written."""
    match node:
        case Leaf():
            yield node
        case Not():
            yield from leaves(node.child)
        case AllOf() | AnyOf():
            for child in node.children:
                yield from leaves(child)


def causes(node: Node | None, facts: Facts) -> Iterator[Leaf]:
    """The leaves that made ``node`` what it is: from node to child, those of the same truth."""
    match node:
        case Leaf():
            yield node
        case Not():
            yield from causes(node.child, facts)
        case AllOf() | AnyOf():
            truth = node.truth(facts)
            for child in node.children:
                if child.truth(facts) == truth:
                    yield from causes(child, facts)


def outcome(leaf: Leaf, facts: Facts) -> str:
    """What came of a leaf: ``true``, ``false``, or why neither (the values of ``Absent``)."""
    truth = leaf.truth(facts)
    if truth in _NAMES:
        return _NAMES[truth]
    value = leaf.path.find(facts)
    return str((value if isinstance(value, Absent) else Absent.MISPLACED).value)


_NAMES = {TRUE: "true", FALSE: "false"}
