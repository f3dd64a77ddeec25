"""Policy decisions a second, from ten rules to ten thousand.

Every request is decided by one rule among those of its tool, so that what is measured is how the
cost grows with the rules that have nothing to do with it. Run it alone:
``python -m benchmarks.decisions``.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from statistics import median
from time import process_time

from agentxsuite.engines import pdp

SIZES = (10, 100, 1_000, 10_000)
RULES_A_POLICY = 100
TOOLS_A_SERVER = 20
ORGANIZATION, ENVIRONMENT, AGENT = "organization", "environment", "agent"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SMALL_AMOUNT = {"path": "input.amount", "op": "lte", "value": 1000}
LARGE_AMOUNT = {"path": "input.amount", "op": "gt", "value": 1000}


def target(number: int) -> str:
    """The tool that this rule is about."""
    return f"tool:server-{number // TOOLS_A_SERVER}/tool-{number}"


def rule(number: int) -> pdp.Rule:
    """A rule about one tool: of ten, one denies large amounts and two allow small ones."""
    effect, conditions = {
        0: ("deny", LARGE_AMOUNT),
        1: ("allow", SMALL_AMOUNT),
        2: ("allow", SMALL_AMOUNT),
    }.get(number % 10, ("allow", None))
    return pdp.Rule(
        id=f"rule-{number}",
        name=f"rule {number}",
        position=number % RULES_A_POLICY,
        action="tool.invoke",
        target=target(number),
        effect=effect,
        conditions=conditions,
        terms={},
        message="",
    )


def policies(rules: int) -> Iterator[pdp.Policy]:
    """So many rules in policies of one organization; every other policy is bound to the agent."""
    for number, first in enumerate(range(0, rules, RULES_A_POLICY)):
        scope = ("agent", AGENT) if number % 2 else ("org", ORGANIZATION)
        yield pdp.Policy(
            id=f"policy-{number}",
            name=f"policy {number}",
            version=1,
            organization=ORGANIZATION,
            environment=None,
            active=True,
            rules=tuple(map(rule, range(first, min(first + RULES_A_POLICY, rules)))),
            bindings=(pdp.Binding(*scope, priority=0),),
        )


def requests(rules: int, number: int = 1000) -> list[pdp.Request]:
    """Calls of the tools that rules are about, in an order that is random but always the same."""
    chosen = random.Random(rules)  # noqa: S311  # an order, not a secret
    return [
        pdp.Request(
            organization=ORGANIZATION,
            environment=ENVIRONMENT,
            action="tool.invoke",
            target=target(chosen.randrange(rules)),
            agent=AGENT,
            user=None,
            roles=(),
            tool="tool",
            attributes={"principal": {}, "env": {}, "tool": {}, "request": {}, "context": {}},
            input={"amount": chosen.randrange(2000)},
        )
        for _ in range(number)
    ]


def rate(policy_set: pdp.PolicySet, asked: Sequence[pdp.Request], number: int) -> float:
    """Decisions a second of processor time, over so many: what else runs does not count."""
    begun = process_time()
    for request in islice(cycle(asked), number):
        pdp.decide(policy_set, request, AT)
    return number / (process_time() - begun)


def measure(rounds: int, number: int) -> dict[int, list[float]]:
    """Decisions a second at every size, in interleaved rounds."""
    prepared = {
        size: (pdp.PolicySet.compile(policies(size), ORGANIZATION, ENVIRONMENT), requests(size))
        for size in SIZES
    }
    rates: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size, (policy_set, asked) in prepared.items():
            rates[size].append(rate(policy_set, asked, number))
    return rates


def main() -> None:
    """Measure from the command line."""
    for size, rates in measure(rounds=5, number=50_000).items():
        print(
            f"{size:6,} rules: {median(rates):,.0f} decisions/s"
            f" ({min(rates):,.0f} to {max(rates):,.0f})"
        )


if __name__ == "__main__":
    main()
