"""Where a request's target is looked up."""

import pytest

from agentxsuite.engines import pdp
from agentxsuite.engines.pdp.targets import Target, covering_actions, read_target
from tests.unit.engines.pdp.building import call, decide

LOOKED_UP = [
    ("tool:pdf", ("pdf",), ("*", "tool", "tool:pdf"), ("resource_ns:pdf",)),
    (
        "tool:pdf/a%2fb",
        ("pdf", "a%2Fb"),
        ("*", "tool", "tool:pdf", "tool:pdf/a%2Fb", "tool:*/a%2Fb"),
        ("resource_ns:pdf", "resource_ns:pdf/a%2Fb"),
    ),
    (
        "resource:d/https/x",
        ("d", "https", "x"),
        ("*", "resource", "resource:d", "resource:d/https", "resource:d/https/x",
         "resource:*/https"),
        ("resource_ns:d", "resource_ns:d/https", "resource_ns:d/https/x"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "segments", "keys", "namespaces"), LOOKED_UP)
def test_a_target_is_looked_up_under_few_keys(text, segments, keys, namespaces):
    """Losing this, a decision looks through rules it has nothing to do with, or misses some."""
    assert read_target(text) == Target(segments, keys, namespaces)


def test_an_action_is_covered_by_few_patterns():
    """Losing this, an action is matched by patterns of another."""
    assert covering_actions("tool.invoke.now") == ("tool.invoke.now", "tool.invoke.*", "*")
    assert covering_actions("tool") == ("tool", "*")


def test_a_long_target_is_decided_too():
    """Losing this, deep resources cannot be governed."""
    target = "resource:docs/" + "/".join(["segment" * 8] * 20)
    assert decide(["allow * resource:docs/**"], call(target)).allowed
    assert not decide(["allow * resource:docs/*"], call(target)).allowed


def test_a_refused_name_says_why():
    """Losing this, a tool is left out of the catalogue without a reason."""
    with pytest.raises(ValueError, match=r"^a segment is empty$"):
        pdp.canonical("")
