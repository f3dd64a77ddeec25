"""A second reading of the rules, slow and plain, to hold the engine against.

It works on raw policies, rule by rule, with sets of letters for truths (t, f, e) and regular
expressions for patterns, and shares no code with the engine.
"""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from urllib.parse import unquote

from agentxsuite.engines.pdp import UNKNOWN

EVERY = frozenset("tfe")


def judge(policies, request, at):
    """(effect, reason, determining rule's id or None, terms)."""
    matching = [
        (rule, policy, priority)
        for policy in policies
        for rule in policy.rules
        if (priority := _priority(policy, rule.effect, request)) is not None
        and covers_action(rule.action, request.action)
        and covers_target(rule.target, request.target)
        and _counts(rule, _truth(rule.conditions, request, at))
    ]
    denies = [match for match in matching if match[0].effect == "deny"]
    allows = [match for match in matching if match[0].effect == "allow"]
    if denies:
        return "deny", "explicit_deny", _best(denies), None
    if allows:
        return "allow", "explicit_allow", _best(allows), _terms(allows)
    return "deny", "default_deny", None, None


def _best(matching):
    def rank(match):
        rule, policy, priority = match
        return (-priority, policy.name, rule.position, policy.id, rule.id)

    rule, policy, _ = min(matching, key=rank)
    return policy.id, rule.id


def _counts(rule, truth):
    return "t" in truth if rule.effect == "allow" else "f" not in truth


def _terms(allows):
    terms = [rule.terms for rule, _, _ in allows]
    rates = [each.get("rate", {"per_minute": 60, "burst": 60}) for each in terms]
    return {
        "timeout": min((each["timeout"] for each in terms if "timeout" in each), default=None),
        "rate": {
            "per_minute": min(rate["per_minute"] for rate in rates),
            "burst": min(rate.get("burst", rate["per_minute"]) for rate in rates),
        },
        "redact": sorted({path for each in terms for path in each.get("redact", [])}),
        "approval": [],
    }


# Where a policy applies


def _priority(policy, effect, request):
    if not policy.active or policy.organization != request.organization:
        return None
    if policy.environment is not None and policy.environment != request.environment:
        return None
    bound = [each.priority for each in policy.bindings if _in_scope(each, effect, request)]
    return max(bound, default=None)


def _in_scope(binding, effect, request):
    personal = binding.scope_type in {"user", "role"}
    if personal and effect == "allow" and request.agent is not None:
        return False
    if binding.scope_type == "resource_ns":
        inside = _segments(request.target)
        wanted = [unquote(part) for part in binding.scope_id.split("/")]
        return inside[: len(wanted)] == wanted
    if binding.scope_type == "role":
        return binding.scope_id in request.roles
    ids = {
        "org": request.organization,
        "env": request.environment,
        "agent": request.agent,
        "user": request.user,
        "tool": request.tool,
    }
    return binding.scope_id == ids[binding.scope_type]


# Patterns


def covers_action(pattern, action):
    if pattern == "*":
        return True
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", r"[^.]+"), action))


def covers_target(pattern, target):
    if pattern == "*":
        return True
    kind, _, path = pattern.partition(":")
    if kind != target.partition(":")[0]:
        return False
    parts = ["**"] if path == "*" else path.split("/")
    if parts[-1] == "**":
        inside = "".join("\0" + _part(part) for part in parts[:-1]) + "(\0[^\0]*)*"
    else:
        inside = "".join("\0" + _part(part) for part in parts)
    whole = "".join("\0" + segment for segment in _segments(target))
    return bool(re.fullmatch(inside, whole, re.DOTALL))


def _part(part):
    star = part.endswith("*")
    return re.escape(unquote(part.removesuffix("*"))) + ("[^\0]*" if star else "")


def _segments(target):
    return [unquote(part) for part in target.partition(":")[2].split("/")]


# Conditions


def _truth(node, request, at):
    if not node:
        return frozenset("t")
    if "not" in node:
        swap = {"t": "f", "f": "t", "e": "e"}
        return frozenset(swap[each] for each in _truth(node["not"], request, at))
    for name, decisive, neutral in (("all", "f", "t"), ("any", "t", "f")):
        if name in node:
            children = [_truth(child, request, at) for child in node[name]]
            return frozenset(_join(each, decisive, neutral) for each in product(*children))
    return _leaf(node, request, at)


def _join(values, decisive, neutral):
    if decisive in values:
        return decisive
    return "e" if "e" in values else neutral


def _leaf(leaf, request, at):
    root, *steps = re.findall(r'\["(.*?)"\]|\[(\d+)\]|(\w+)', leaf["path"])
    root = root[2]
    if root == "input" and request.input is UNKNOWN:
        return EVERY
    value = {**request.attributes, "input": request.input}.get(root, KeyError)
    for quoted, index, name in steps:
        value = _step(value, int(index) if index else quoted or name)
    if value is KeyError and (root, steps) in CLOCKS:
        value = at.astimezone(UTC).isoformat()
    if leaf["op"] == "exists":
        return _letter((value not in (KeyError, TypeError)) is leaf["value"])
    if value is KeyError:
        return frozenset("f" if leaf.get("on_missing") == "no_match" else "e")
    try:
        return _letter(OPERATORS[leaf["op"]](value, leaf["value"], leaf))
    except (TypeError, ValueError):
        return frozenset("e")


CLOCKS = [("request", [("", "", "time")]), ("context", [("", "", "time")])]


def _letter(flag):
    return frozenset("t" if flag else "f")


def _step(value, step):
    if value in (None, KeyError):
        return KeyError
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step, KeyError)
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else KeyError
    return TypeError


def _kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float) and abs(value) < float("inf"):
        return "number"
    for kind, name in ((str, "string"), (list, "list"), (dict, "object"), (type(None), "null")):
        if isinstance(value, kind):
            return name
    raise TypeError


def _same(value, wanted):
    if wanted is None:
        return value is None
    if _kind(value) != _kind(wanted):
        raise TypeError
    return value == wanted


def _order(compare):
    def compared(value, wanted, _leaf):
        if _kind(value) != _kind(wanted):
            raise TypeError
        return compare(value, wanted)

    return compared


def _member(value, wanted):
    if _kind(value) not in {_kind(each) for each in wanted}:
        raise TypeError
    return any(_kind(each) == _kind(value) and each == value for each in wanted)


def _some(tests):
    """True if any is; else an error if any errs."""
    letters = {_settled(test) for test in tests}
    if "e" in letters and "t" not in letters:
        raise TypeError
    return "t" in letters


def _settled(test):
    try:
        return "t" if test() else "f"
    except TypeError:
        return "e"


def _contains(value, wanted, _leaf):
    if isinstance(value, list):
        return _some([lambda each=each: _same(each, wanted) for each in value])
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted in value
    raise TypeError


def _subset(value, wanted, _leaf):
    if not isinstance(value, list):
        raise TypeError
    return not _some([lambda each=each: not _member(each, wanted) for each in value])


def _text(test):
    def tested(value, wanted, _leaf):
        if not isinstance(value, str):
            raise TypeError
        return test(value, wanted)

    return tested


def _length(value, wanted, _leaf):
    if not isinstance(value, str | list | dict):
        raise TypeError
    return len(value) <= wanted


def _cidr(value, wanted):
    address = ipaddress.ip_address(value)
    address = getattr(address, "ipv4_mapped", None) or address
    networks = [wanted] if isinstance(wanted, str) else wanted
    return any(address in ipaddress.ip_network(each) for each in networks)


def _between(value, wanted, leaf):
    if not isinstance(value, str) or "T" not in value:
        raise TypeError
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise TypeError
    shift = leaf.get("tz", "Z")
    local = instant.astimezone(UTC)
    if shift != "Z":
        hours, minutes = int(shift[1:3]), int(shift[4:])
        local += timedelta(hours=hours, minutes=minutes) * (1 if shift[0] == "+" else -1)
    now = f"{local:%H:%M}"
    start, end = wanted
    return start <= now < end if start < end else now >= start or now < end


OPERATORS = {
    "eq": lambda value, wanted, _: _same(value, wanted),
    "ne": lambda value, wanted, _: not _same(value, wanted),
    "lt": _order(lambda left, right: left < right),
    "lte": _order(lambda left, right: left <= right),
    "gt": _order(lambda left, right: left > right),
    "gte": _order(lambda left, right: left >= right),
    "in": lambda value, wanted, _: _member(value, wanted),
    "not_in": lambda value, wanted, _: not _member(value, wanted),
    "prefix": _text(lambda value, wanted: value.startswith(wanted)),
    "suffix": _text(lambda value, wanted: value.endswith(wanted)),
    "contains": _contains,
    "cidr": _text(_cidr),
    "time_between": _between,
    "matches": _text(lambda value, wanted: bool(re.search(wanted, value))),
    "len_lte": _length,
    "subset": _subset,
}
