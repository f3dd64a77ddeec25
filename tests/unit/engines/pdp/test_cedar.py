"""Cedar, another engine with the same semantics, answers the same."""

from random import Random

import cedarpy
import pytest

from agentxsuite.engines import pdp
from tests.unit.engines.pdp import cedar
from tests.unit.engines.pdp.building import NOON

SEEDS = range(20)
SETS = 10
REQUESTS = 100  # 20 seeds x 10 sets x 100 requests: 20,000 decisions


@pytest.mark.parametrize("seed", SEEDS)
def test_decides_like_cedar(seed):
    """Losing this, our reading of deny, allow and conditions is ours alone."""
    random = Random(seed)  # noqa: S311 - the same decisions on every run
    for _ in range(SETS):
        listed = cedar.policies(random, random.randint(1, 12))
        asked = [cedar.request(random) for _ in range(REQUESTS)]
        theirs = cedarpy.is_authorized_batch(
            [cedar.cedar_request(each) for each in asked],
            cedarpy.PolicySet.from_str(cedar.cedar_policies(listed)),
            [],
        )
        snapshot = pdp.PolicySet.compile(listed, "o", "e")
        for each, answer in zip(asked, theirs, strict=True):
            assert not answer.diagnostics.errors
            reasons = cedar.named(listed, answer.diagnostics.reasons)
            assert ours(snapshot, each) == (answer.allowed, reasons), each


def ours(snapshot, request):
    """The answer, and which rules gave it."""
    decision = pdp.decide(snapshot, request, NOON)
    matching = pdp.explain(snapshot, request, decision, NOON).matching
    return decision.allowed, {rule.rule_id for rule in matching if rule.effect == decision.effect}
