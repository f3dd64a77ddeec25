"""Random policies of the fragment that Cedar shares with us, in both languages.

The fragment has no errors: values are always of the kind that a comparison wants. A request's
scopes and segments are handed to Cedar as data; what follows from them it works out alone.
"""

import json

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import ENVIRONMENT, ORGANIZATION

WORDS = ("pdf", "pay", "read", "delete", "delete_all", "x")
KINDS = ("tool", "resource")
ACTIONS = ("tool.invoke", "tool.list", "resource.read")
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
ADDRESSES = ("10.0.0.7", "10.9.0.1", "192.168.0.1", "2001:db8::1")
NETWORKS = ("10.0.0.0/8", "10.0.0.0/24", "0.0.0.0/0", "2001:db8::/32")


def policies(random, count):
    """Random policies, mostly bound where somebody is."""
    return [_policy(random, number) for number in range(count)]


def _policy(random, number):
    rules = [_rule(random, f"{number}.{at}", at) for at in range(random.randint(1, 4))]
    bindings = [_binding(random) for _ in range(random.randint(1, 2))]
    return pdp.Policy(
        id=str(number),
        name=random.choice("pq"),
        version=1,
        organization=ORGANIZATION,
        environment=None,
        active=True,
        rules=tuple(rules),
        bindings=tuple(bindings),
    )


def _binding(random):
    scope = random.choice(
        ("org:o", "env:e", "agent:a", "agent:b", "user:u", "role:viewer", "tool:t", "resource_ns:")
    )
    scope_type, _, scope_id = scope.partition(":")
    if not scope_id:
        scope_id = "/".join(random.choices(WORDS, k=random.randint(1, 2)))
    return pdp.Binding(scope_type, scope_id, random.randint(0, 3))


def _rule(random, label, position):
    return pdp.Rule(
        id=label,
        name=label,
        position=position,
        action=random.choice(("*", "tool.*", *ACTIONS)),
        target=_pattern(random),
        effect=random.choice(("allow", "allow", "deny")),
        conditions=_condition(random, 3) if random.random() < 0.7 else None,
    )


def _pattern(random):
    if random.random() < 0.1:
        return "*"
    segments = [
        random.choice((word := random.choice(WORDS), word, "*", word[:2] + "*"))
        for _ in range(random.randint(1, 3))
    ]
    tail = ["**"] if random.random() < 0.3 else []
    return f"{random.choice(KINDS)}:{'/'.join([*segments, *tail])}"


def _condition(random, depth):
    if not depth or random.random() < 0.4:
        return _leaf(random)
    children = [_condition(random, depth - 1) for _ in range(random.randint(1, 3))]
    name = random.choice(("all", "any", "not"))
    return {name: children[0] if name == "not" else children}


def _leaf(random):
    op, path, value = random.choice(
        (
            (random.choice(tuple(COMPARISONS)), "input.number", random.randint(-2, 2)),
            (random.choice(("eq", "ne")), "input.word", random.choice(WORDS)),
            (random.choice(("in", "not_in")), "input.word", random.choices(WORDS, k=2)),
            (random.choice(("prefix", "suffix", "contains")), "input.word", random.choice("adel")),
            ("contains", "input.words", random.choice(WORDS)),
            ("subset", "input.words", random.choices(WORDS, k=4)),
            ("exists", "input.maybe", random.choice((True, False))),
            ("eq", "input.maybe", random.randint(0, 1)),
            ("cidr", "request.ip", random.choice(NETWORKS)),
        )
    )
    leaf = {"path": path, "op": op, "value": value}
    return {**leaf, "on_missing": "no_match"} if (op, path) == ("eq", "input.maybe") else leaf


def request(random):
    """A random request."""
    agent, user = random.choice((("a", None), (None, "u"), ("a", "u"), ("b", None)))
    maybe = {"maybe": random.randint(0, 1)} if random.random() < 0.5 else {}
    return pdp.Request(
        organization=ORGANIZATION,
        environment=ENVIRONMENT,
        action=random.choice(ACTIONS),
        target=f"{random.choice(KINDS)}:{'/'.join(random.choices(WORDS, k=random.randint(1, 4)))}",
        agent=agent,
        user=user,
        roles=("viewer",) if user else (),
        tool=random.choice((None, "t")),
        attributes={"request": {"ip": random.choice(ADDRESSES)}},
        input={
            "number": random.randint(-3, 3),
            "word": random.choice(WORDS),
            "words": random.choices(WORDS, k=random.randint(0, 3)),
            **maybe,
        },
    )


def cedar_request(asked):
    """The request as Cedar takes it."""
    kind, _, path = asked.target.partition(":")
    segments = path.split("/")
    spaces = ["resource_ns:" + "/".join(segments[: n + 1]) for n in range(len(segments))]
    shared = ["org:o", "env:e", *spaces, f"agent:{asked.agent}", f"tool:{asked.tool}"]
    personal = [f"user:{asked.user}", *(f"role:{role}" for role in asked.roles)]
    context = {
        "grants": shared if asked.agent else shared + personal,
        "scopes": shared + personal,
        "kind": kind,
        "length": len(segments),
        "verb": asked.action,
        "family": asked.action.partition(".")[0],
        **{f"s{at}": segment for at, segment in enumerate(segments)},
        "input": asked.input,
        "request": {"ip": asked.attributes["request"]["ip"]},
    }
    return {
        "principal": 'P::"p"',
        "action": 'Action::"a"',
        "resource": 'R::"r"',
        "context": context,
    }


def cedar_policies(listed):
    """The policies in Cedar's language."""
    return "\n".join(_statement(policy, rule) for policy in listed for rule in policy.rules)


def named(listed, reasons):
    """The rules that Cedar names by their place: ``policy0``, ``policy1``."""
    ids = [rule.id for policy in listed for rule in policy.rules]
    return {ids[int(reason.removeprefix("policy"))] for reason in reasons}


def _statement(policy, rule):
    effect, scopes = ("permit", "grants") if rule.effect == "allow" else ("forbid", "scopes")
    bound = [
        f"context.{scopes}.contains({_text(f'{each.scope_type}:{each.scope_id}')})"
        for each in policy.bindings
    ]
    terms = [f"({' || '.join(bound)})", *_action(rule.action), *_target(rule.target)]
    if rule.conditions:
        terms.append(_expression(rule.conditions))
    return f"{effect}(principal, action, resource) when {{ {' && '.join(terms)} }};"


def _text(value):
    return json.dumps(value)


def _action(pattern):
    if pattern == "*":
        return []
    if pattern.endswith(".*"):
        return [f"context.family == {_text(pattern[:-2])}"]
    return [f"context.verb == {_text(pattern)}"]


def _target(pattern):
    if pattern == "*":
        return []
    kind, _, path = pattern.partition(":")
    parts = path.split("/")
    if path == "*":
        return [f"context.kind == {_text(kind)}"]
    deep = parts[-1] == "**"
    parts = parts[:-1] if deep else parts
    length = f"context.length {'>=' if deep else '=='} {len(parts)}"
    pieces = [f"context.s{at} like {_text(part)}" for at, part in enumerate(parts)]
    return [f"context.kind == {_text(kind)}", length, *pieces]


def _expression(node):
    if "not" in node:
        return f"!({_expression(node['not'])})"
    for name, sign in (("all", " && "), ("any", " || ")):
        if name in node:
            return "(" + sign.join(_expression(child) for child in node[name]) + ")"
    return _comparison(node["op"], f"context.{node['path']}", node["value"])


def _comparison(op, path, value):
    literal = _text(value)
    if path == "context.input.maybe":
        has = "context.input has maybe"
        return f"({has} && {path} == {literal})" if op == "eq" else f"({has}) == {literal}"
    if (op, path) == ("contains", "context.input.words"):
        return f"{path}.contains({literal})"
    if op in COMPARISONS:
        return f"{path} {COMPARISONS[op]} {literal}"
    return {
        "in": f"{literal}.contains({path})",
        "not_in": f"!{literal}.contains({path})",
        "subset": f"{literal}.containsAll({path})",
        "contains": f"{path} like {_text(f'*{value}*')}",
        "prefix": f"{path} like {_text(f'{value}*')}",
        "suffix": f"{path} like {_text(f'*{value}')}",
        "cidr": f"ip({path}).isInRange(ip({literal}))",
    }[op]
