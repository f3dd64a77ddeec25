"""Policies of one environment, compiled and filed so that a decision looks at few rules.

The index is two levels deep: a binding's scope, then the literal beginning of a rule's target. A
request has a handful of either, so the price of a decision does not grow with the rules. A set is
never changed: an edit makes another one, which shares with the first whatever the edit left alone.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from agentxsuite.engines.pdp.model import Binding, Policy
from agentxsuite.engines.pdp.problems import Report
from agentxsuite.engines.pdp.rules import NAMESPACE, CompiledRule, compile_rule, scope_of
from agentxsuite.engines.pdp.targets import EVERYTHING
from agentxsuite.wire import dumps

# Smallest first: a higher priority, then the policy's name, then the rule's position.
Rank = tuple[int, tuple[str, int, str, str]]
Filed = tuple[Rank, CompiledRule]
Shelf = dict[str, list[Filed]]
Index = dict[str, Shelf]


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """One policy, ready to be filed: its rules, and its scopes with their priorities."""

    version: int
    rules: tuple[CompiledRule, ...]
    scopes: tuple[tuple[str, int], ...]
    digest: bytes

    def places(self) -> Iterator[tuple[str, str, Filed]]:
        """Where each rule is filed: scope, key, and the rule under its rank."""
        for scope, priority in self.scopes:
            for rule in self.rules:
                yield scope, rule.target.key, ((-priority, rule.order), rule)


class PolicySet:
    """Every policy that can apply in one environment: the snapshot that decisions are made by."""

    __slots__ = ("_keys", "_namespaces", "compiled", "environment", "index", "organization")

    def __init__(self, organization: str, environment: str) -> None:
        self.organization = organization
        self.environment = environment
        self.index: Index = {}
        self.compiled: dict[str, CompiledPolicy] = {}
        self._keys: dict[tuple[str, str], list[str]] = {}  # found when somebody asks
        self._namespaces: list[str] | None = None

    @classmethod
    def compile(
        cls, policies: Iterable[Policy], organization: str, environment: str
    ) -> "PolicySet":
        """Compile what is active here; raises PolicyInvalid if any of it cannot be enforced."""
        return cls(organization, environment).edited(policies, ())

    def edited(self, policies: Iterable[Policy], changed: Collection[str]) -> "PolicySet":
        """The set in which `policies` stand in place of those whose ids are `changed`.

        Only `policies` are read; one that has gone is changed and not among them. Raises
        PolicyInvalid if any of them cannot be enforced.
        """
        made = PolicySet(self.organization, self.environment)
        made.compiled, made.index = dict(self.compiled), dict(self.index)
        before = [made.compiled.pop(each) for each in changed if each in self.compiled]
        after = {each.id: _compile(each) for each in policies if self._concerns(each)}
        made.compiled |= after
        made._refile(before, after.values())
        return made

    @property
    def versions(self) -> dict[str, int]:
        """Version by policy id."""
        return {identifier: each.version for identifier, each in self.compiled.items()}

    @property
    def snapshot_hash(self) -> str:
        """A name of the content: equal for equal policies."""
        whole = sha256(dumps([self.organization, self.environment]))
        for identifier in sorted(self.compiled):
            whole.update(self.compiled[identifier].digest)
        return whole.hexdigest()

    def keys(self, scope: str, kind: str) -> list[str]:
        """Where rules of a scope are filed that may cover targets of a kind."""
        shelf = self.index.get(scope)
        if shelf is None:  # nothing is remembered of scopes that somebody asks for and nobody has
            return []
        found = self._keys.get((scope, kind))
        if found is None:
            begins = f"{kind}:"
            found = [key for key in shelf if key in (EVERYTHING, kind) or key.startswith(begins)]
            self._keys[scope, kind] = found
        return found

    @property
    def namespaces(self) -> list[str]:
        """The scopes that are namespaces."""
        if self._namespaces is None:
            begins = f"{NAMESPACE}:"
            self._namespaces = [scope for scope in self.index if scope.startswith(begins)]
        return self._namespaces

    def _concerns(self, policy: Policy) -> bool:
        return (
            policy.active
            and policy.organization == self.organization
            and policy.environment in {None, self.environment}
        )

    def _refile(self, gone: Iterable[CompiledPolicy], new: Iterable[CompiledPolicy]) -> None:
        """Take rules out of the index and put others in, on copies of what that changes."""
        lost, found = _by_place(gone), _by_place(new)
        for scope in lost.keys() | found.keys():
            out, into = lost.get(scope, {}), found.get(scope, {})
            shelf = dict(self.index.pop(scope, {}))
            for key in out.keys() | into.keys():
                removed = {id(rule) for _, rule in out.get(key, ())}
                kept = [filed for filed in shelf.pop(key, ()) if id(filed[1]) not in removed]
                if listed := sorted(kept + into.get(key, [])):
                    shelf[key] = listed
            if shelf:
                self.index[scope] = shelf


def _by_place(policies: Iterable[CompiledPolicy]) -> Index:
    """File rules; each list is in the order of ranks, so that it does not tell of past edits."""
    index: Index = {}
    for policy in policies:
        for scope, key, filed in policy.places():
            index.setdefault(scope, {}).setdefault(key, []).append(filed)
    for shelf in index.values():
        for listed in shelf.values():
            listed.sort()
    return index


def _compile(policy: Policy) -> CompiledPolicy:
    report = Report()
    rules = [
        compile_rule(policy, rule, report, f"/policies/{policy.id}/rules/{number}")
        for number, rule in enumerate(policy.rules)
    ]
    placed = [
        report.attempt(f"/policies/{policy.id}/bindings/{number}", partial(_placed, binding))
        for number, binding in enumerate(policy.bindings)
    ]
    report.close()
    return CompiledPolicy(
        policy.version,
        tuple(rule for rule in rules if rule is not None),
        tuple(scope for scope in placed if scope is not None),
        _digest(policy),
    )


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
