"""What two versions of a policy do not have in common, in the words of their renderings."""

from collections.abc import Callable, Hashable, Mapping
from typing import Final

from agentxsuite import wire
from agentxsuite.control.policies.rendering import spelt
from agentxsuite.wire import JSON

NOTHING: Final[Mapping[str, JSON]] = {"rules": [], "bindings": []}
MAX_TOLD: Final = 64 * 1024  # bytes of a difference that the audit keeps whole

Part = dict[str, JSON]


def difference(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return what `after` has that `before` had not, and the other way round.

    `{"changes", "rules", "bindings"}`: changes as `{field: {"from", "to"}}`, the others as
    `{"added", "removed", "changed"}`; rules are matched by id, bindings by scope.
    """
    return {
        "changes": _changes(_facts(before), _facts(after)),
        "rules": _parts(*_placed(before["rules"], after["rules"]), _rule_key),
        "bindings": _parts(before["bindings"], after["bindings"], _binding_key),
    }


def told(change: Mapping[str, JSON]) -> JSON:
    """Return a difference for the audit: beyond 64 KiB only how much of everything changed."""
    if len(wire.dumps(dict(change))) <= MAX_TOLD:
        return change
    counts = {
        kind: {how: len(parts) for how, parts in change[kind].items()}
        for kind in ("rules", "bindings")
    }
    return {"changes": change["changes"], **counts, "truncated": True}


def _facts(version: Mapping[str, JSON]) -> Part:
    return {name: value for name, value in version.items() if name not in NOTHING}


def _changes(before: Part, after: Part) -> Part:
    return {
        name: {"from": before.get(name), "to": value}
        for name, value in after.items()
        if spelt(before.get(name)) != spelt(value)
    }


def _placed(before: list[Part], after: list[Part]) -> tuple[list[Part], list[Part]]:
    """Leave positions out where nobody has moved, but only somebody came or went before."""
    known = {_rule_key(each) for each in before} & {_rule_key(each) for each in after}
    old, new = (
        [_rule_key(each) for each in rules if _rule_key(each) in known] for rules in (before, after)
    )
    if old != new:
        return before, after
    return _unplaced(before), _unplaced(after)


def _unplaced(rules: list[Part]) -> list[Part]:
    return [{name: rule[name] for name in rule if name != "position"} for rule in rules]


def _parts(before: list[Part], after: list[Part], key: Callable[[Part], Hashable]) -> Part:
    old, new = ({key(each): each for each in parts} for parts in (before, after))
    both = [(old[name], each) for name, each in new.items() if name in old]
    changed = [(each, _changes(was, each)) for was, each in both]
    return {
        "added": [each for name, each in new.items() if name not in old],
        "removed": [each for name, each in old.items() if name not in new],
        "changed": [{**_named(each), "changes": how} for each, how in changed if how],
    }


def _named(part: Part) -> Part:
    names = ("id", "name") if "id" in part else ("scope_type", "scope_id")
    return {name: part[name] for name in names}


def _rule_key(rule: Part) -> Hashable:
    return str(rule["id"])


def _binding_key(binding: Part) -> Hashable:
    return str(binding["scope_type"]), str(binding["scope_id"])
