"""Policies of one environment, compiled and filed so that a decision looks at few rules.

The index is two levels deep: a binding's scope, then the literal beginning of a rule's target. A
request has a handful of either, so the price of a decision does not grow with the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from agentxsuite.engines.pdp.model import Binding, Policy
from agentxsuite.engines.pdp.problems import Report
from agentxsuite.engines.pdp.rules import CompiledRule, compile_rule, scope_of
from agentxsuite.wire import dumps

# Smallest first: a higher priority, then the policy's name, then the rule's position.
Rank = tuple[int, tuple[str, int, str, str]]
Filed = tuple[Rank, CompiledRule]
Index = dict[str, dict[str, list[Filed]]]


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """One version of a policy, ready to be filed."""

    rules: tuple[CompiledRule, ...]
    digest: bytes


class PolicySet:
    """Every policy that can apply in one environment: the snapshot that decisions are made by.

    ``versions`` maps policy ids to versions; ``snapshot_hash`` is equal for equal policies.
    """

    __slots__ = (
        "compiled", "environment", "index", "organization", "snapshot_hash", "versions",
    )  # fmt: skip
    snapshot_hash: str

    def __init__(self, organization: str, environment: str) -> None:
        self.organization = organization
        self.environment = environment
        self.index: Index = {}
        self.compiled: dict[tuple[str, int], CompiledPolicy] = {}
        self.versions: dict[str, int] = {}

    @classmethod
    def compile(
        cls,
        policies: Iterable[Policy],
        organization: str,
        environment: str,
        previous: "PolicySet | None" = None,
    ) -> "PolicySet":
        """Compile what is active here; raises PolicyInvalid if any of it cannot be enforced.

        A policy whose id and version ``previous`` has is not read again: every change of a policy
        is a new version.
        """
        made = cls(organization, environment)
        known = previous.compiled if previous else {}
        for policy in policies:
            if _concerns(policy, organization, environment):
                key = (policy.id, policy.version)
                compiled = known.get(key) or _compile(policy)
                made.compiled[key] = compiled
                made.versions[policy.id] = policy.version
                made._file(policy, compiled)
        made.snapshot_hash = made._hash()
        return made

    def _file(self, policy: Policy, compiled: CompiledPolicy) -> None:
        for scope, priority in _scopes(policy):
            for rule in compiled.rules:
                shelf = self.index.setdefault(scope, {})
                shelf.setdefault(rule.target.key, []).append(((-priority, rule.order), rule))

    def _hash(self) -> str:
        whole = sha256(dumps([self.organization, self.environment]))
        for key in sorted(self.compiled):
            whole.update(self.compiled[key].digest)
        return whole.hexdigest()


def _concerns(policy: Policy, organization: str, environment: str) -> bool:
    return (
        policy.active
        and policy.organization == organization
        and policy.environment in {None, environment}
    )


def _compile(policy: Policy) -> CompiledPolicy:
    report = Report()
    rules = [
        compile_rule(policy, rule, report, f"/policies/{policy.id}/rules/{number}")
        for number, rule in enumerate(policy.rules)
    ]
    report.close()
    return CompiledPolicy(tuple(rule for rule in rules if rule is not None), _digest(policy))


def _scopes(policy: Policy) -> list[tuple[str, int]]:
    report = Report()
    placed = [
        report.attempt(f"/policies/{policy.id}/bindings/{number}", partial(_placed, binding))
        for number, binding in enumerate(policy.bindings)
    ]
    report.close()
    return [each for each in placed if each is not None]


def _placed(binding: Binding) -> tuple[str, int]:
    return scope_of(binding), binding.priority


def _digest(policy: Policy) -> bytes:
    content = [
        [policy.id, policy.name, policy.version, policy.environment],
        [[each.scope_type, each.scope_id, each.priority] for each in policy.bindings],
        [
            [
                *(rule.id, rule.name, rule.position, rule.action, rule.target, rule.effect),
                *(rule.conditions, dict(rule.terms or {}), rule.message),
            ]
            for rule in policy.rules
        ],
    ]
    return sha256(dumps(content)).digest()
