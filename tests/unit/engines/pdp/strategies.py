"""Random policies and requests over a small world, so that they meet often."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentxsuite.engines import pdp
from tests.unit.engines.pdp.building import NOON

# A busy machine is not a finding.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def for_all(*strategies):
    """Run a test on random examples, however slow the machine is."""
    return lambda test: _PATIENT(given(*strategies)(test))


WORDS = ("pdf", "pay", "read", "delete", "delete_all", "a b", "a%2Fb")
SEGMENTS = st.sampled_from(WORDS)
WILD_SEGMENTS = st.sampled_from((*WORDS, "*", "de*", "delete*", "p*"))
TARGETS = st.builds(
    lambda kind, segments: f"{kind}:{'/'.join(segments)}",
    st.sampled_from(("tool", "resource")),
    st.lists(SEGMENTS, min_size=1, max_size=3),
)
TARGET_PATTERNS = st.just("*") | st.builds(
    lambda kind, segments, tail: f"{kind}:{'/'.join([*segments, *tail])}",
    st.sampled_from(("tool", "resource")),
    st.lists(WILD_SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(((), ("**",))),
)
ACTIONS = st.sampled_from(("tool.invoke", "tool.list", "tool.invoke.now", "resource.read"))
ACTION_PATTERNS = st.sampled_from(("*", "tool.*", "tool.invoke", "tool.invoke.*", "resource.read"))

SCALARS = st.sampled_from((0, 1, 2, 1.0, 1.5, True, False, None, "", "a", "ab", "10.0.0.7", "1"))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner),
    max_leaves=4,
)
TIMES = st.sampled_from(("2026-03-04T07:59:59Z", "2026-03-04T23:30:00+02:00", "noon"))
PATHS = st.sampled_from(
    ("input.x", "input.x", "input.y", "input.x.y", 'input["x"][0]', "env.type", "principal.roles",
     "request.ip", "request.time", "context.time", "tool.name")
)  # fmt: skip


def _leaf(op, values):
    return st.builds(
        lambda path, value, more: {"path": path, "op": op, "value": value, **more},
        PATHS,
        values,
        st.sampled_from(({}, {"on_missing": "error"}, {"on_missing": "no_match"})),
    )


def _unless_exists(leaf):
    return {**leaf, "on_missing": "error"} if leaf["op"] == "exists" else leaf


ORDERED = SCALARS.filter(lambda value: isinstance(value, int | float | str)).filter(
    lambda value: not isinstance(value, bool)
)
LISTS = st.lists(SCALARS, min_size=1, max_size=3)
HOURS = st.sampled_from((["08:00", "18:00"], ["22:00", "06:00"], ["00:00", "24:00"]))
LEAVES = st.one_of(
    *(_leaf(op, SCALARS) for op in ("eq", "ne", "contains")),
    *(_leaf(op, ORDERED) for op in ("lt", "lte", "gt", "gte")),
    *(_leaf(op, LISTS) for op in ("in", "not_in", "subset")),
    *(_leaf(op, st.sampled_from(("", "a", "b"))) for op in ("prefix", "suffix")),
    _leaf("exists", st.booleans()).map(_unless_exists),
    _leaf("cidr", st.sampled_from(("10.0.0.0/8", ["10.0.0.7", "::/0"]))),
    _leaf("matches", st.sampled_from(("^a", "b$", "1"))),
    _leaf("len_lte", st.integers(0, 2)),
    st.builds(
        lambda leaf, zone: {**leaf, **zone},
        _leaf("time_between", HOURS),
        st.sampled_from(({}, {"tz": "+05:30"}, {"tz": "-08:00"})),
    ),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda children: {"all": children}),
        st.lists(inner, min_size=1, max_size=3).map(lambda children: {"any": children}),
        inner.map(lambda child: {"not": child}),
    ),
    max_leaves=5,
)
MAYBE_CONDITIONS = st.none() | CONDITIONS
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.integers(1, 300),
        "rate": st.builds(
            lambda per_minute, more: {"per_minute": per_minute, **more},
            st.integers(1, 200),
            st.sampled_from(({}, {"burst": 5}, {"burst": 90})),
        ),
        "redact": st.lists(st.sampled_from(("input.x", "output", "input.y")), max_size=2),
    },
)
BINDINGS = st.builds(
    pdp.Binding,
    st.sampled_from(("org", "env", "agent", "tool", "role", "user")),
    st.sampled_from(("o", "e", "a", "t", "viewer", "u", "other")),
    st.integers(-2, 2),
) | st.builds(
    pdp.Binding,
    st.just("resource_ns"),
    st.lists(SEGMENTS, min_size=1, max_size=2).map("/".join),
    st.integers(-2, 2),
)
# Often enough where everybody is, so that rules apply at all.
PLACES = st.lists(BINDINGS | st.just(pdp.Binding("org", "o", 0)), max_size=3)


@st.composite
def rules(draw, effects=("allow", "deny")):
    """A rule that its policy will number."""
    effect = draw(st.sampled_from(effects))
    return pdp.Rule(
        id="",
        name="",
        position=draw(st.integers(0, 1)),
        action=draw(ACTION_PATTERNS),
        target=draw(TARGET_PATTERNS),
        effect=effect,
        conditions=draw(MAYBE_CONDITIONS),
        terms=draw(TERMS) if effect == "allow" else {},
        message="",
    )


RULES = st.lists(rules(), max_size=4)
PLACED = st.fixed_dictionaries(
    {
        "organization": st.sampled_from(("o", "o", "o", "other")),
        "environment": st.sampled_from((None, None, "e", "other")),
        "active": st.sampled_from((True, True, True, False)),
        "bindings": PLACES.map(tuple),
        "name": st.sampled_from("pq"),
    }
)


def policies(some_rules=RULES, **fixed):
    """A policy, most often of this organization, active and in every environment."""

    def build(listed, placed):
        numbered = tuple(replace(rule, id=f"r{at}") for at, rule in enumerate(listed))
        return pdp.Policy(id="z", version=1, rules=numbered, **{**placed, **fixed})

    return st.builds(build, some_rules, PLACED)


def numbered(listed):
    """Policies with ids of their own."""
    return [replace(each, id=f"p{at}") for at, each in enumerate(listed)]


@st.composite
def requests(draw, **more):
    """A call by an agent, by a user, or by a user as an agent."""
    agent, user = draw(st.sampled_from((("a", None), (None, "u"), ("a", "u"))))
    fixed = {
        "organization": "o",
        "environment": "e",
        "action": draw(ACTIONS),
        "target": draw(TARGETS),
        "agent": agent,
        "user": user,
        "roles": draw(st.sampled_from(((), ("viewer",), ("viewer", "other")))),
        "tool": draw(st.sampled_from(("t", None))),
        "attributes": draw(attributes()),
        "input": draw(inputs()),
        **more,
    }
    return pdp.Request(**fixed)


def inputs():
    """Arguments of a tool."""
    return st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=2)


@st.composite
def attributes(draw):
    """The roots beside the input, now and then with gaps."""
    roots = {
        "principal": {"kind": "agent", "roles": draw(st.sampled_from(([], ["a"], ["viewer"])))},
        "env": {"type": draw(st.sampled_from(("a", 1)))},
        "request": draw(st.sampled_from(({}, {"ip": "10.0.0.7"}, {"ip": None}))),
        "context": draw(st.just({}) | st.builds(lambda time: {"time": time}, TIMES)),
    }
    return {name: root for name, root in roots.items() if draw(st.integers(0, 9))}


POLICY_LISTS = st.lists(policies(), max_size=4).map(numbered)


def compiled(listed):
    return pdp.PolicySet.compile(listed, "o", "e")


def decided(listed, request):
    return pdp.decide(compiled(listed), request, NOON)
