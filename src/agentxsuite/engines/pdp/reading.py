"""Reading conditions as they were written: limits, shapes, operands."""

from functools import partial

from agentxsuite.engines.pdp import hours
from agentxsuite.engines.pdp.conditions import AllOf, AnyOf, Leaf, Node, Not
from agentxsuite.engines.pdp.kleene import ERROR, FALSE, Truth, known
from agentxsuite.engines.pdp.operators import TESTS, Test
from agentxsuite.engines.pdp.paths import parse_path
from agentxsuite.engines.pdp.problems import Refused, Report
from agentxsuite.wire import JSON, dumps

MAX_BYTES = 16_000
MAX_DEPTH = 8
MAX_LEAVES = 64

_JOINS: dict[str, type[AllOf | AnyOf]] = {"all": AllOf, "any": AnyOf}
_LEAF_NAMES = frozenset({"value", "on_missing", "tz"})  # beside path and op
_ON_MISSING = {"error": ERROR, "no_match": FALSE}
_TIME = "time_between"


def read_conditions(raw: JSON, report: Report, at: str) -> Node | None:
    """The condition of a rule, None where it has none; notes what is wrong under ``at``."""
    if raw is None or raw == {}:
        return None
    reader = _Reader(report)
    node = reader.node(raw, at, 1)
    if reader.leaves > MAX_LEAVES:
        report.add(at, "too_many_leaves", f"a rule has at most {MAX_LEAVES} comparisons")
    if node is not None:  # then its depth is known to be safe to walk again
        report.attempt(at, partial(_measure, raw))
    return node


def _measure(raw: JSON) -> None:
    try:
        size = len(dumps(raw))
    except UnicodeEncodeError:
        raise Refused("bad_text", "half a surrogate pair is no text") from None
    if size > MAX_BYTES:
        raise Refused("too_large", f"conditions have at most {MAX_BYTES} bytes of JSON")


class _Reader:
    """Walks one rule's conditions, counting leaves."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.leaves = 0

    def node(self, raw: JSON, at: str, level: int) -> Node | None:
        if level > MAX_DEPTH:
            self.report.add(at, "too_deep", f"conditions are nested at most {MAX_DEPTH} deep")
            return None
        match raw:
            case {"all": children, **rest} | {"any": children, **rest} if not rest:
                return self._joined(next(iter(raw)), children, at, level)
            case {"not": child, **rest} if not rest:
                inner = self.node(child, f"{at}/not", level + 1)
                return inner and Not(inner)
            case {"path": _, "op": _, **rest} if rest.keys() <= _LEAF_NAMES:
                self.leaves += 1
                return self.report.attempt(at, partial(_leaf, raw))
            case _:
                self.report.add(
                    at,
                    "bad_condition",
                    'expected {"all"}, {"any"}, {"not"} or {"path", "op", "value"}',
                )
                return None

    def _joined(self, name: str, raw: JSON, at: str, level: int) -> Node | None:
        if not isinstance(raw, list) or not raw:
            self.report.add(f"{at}/{name}", "bad_condition", f"{name} is a list of conditions")
            return None
        read = [self.node(item, f"{at}/{name}/{n}", level + 1) for n, item in enumerate(raw)]
        nodes = [node for node in read if node is not None]
        return _JOINS[name](tuple(nodes)) if len(nodes) == len(read) else None


def _leaf(raw: dict[str, JSON]) -> Leaf:
    path = parse_path(raw["path"])
    if not path.steps:
        raise Refused("bad_path", "a path goes on after its root")
    op = raw["op"]
    test = _test(op, raw)
    missing, misplaced = _absences(op, raw)
    return Leaf(path, op, raw.get("value"), test, missing, misplaced)


def _test(op: JSON, raw: dict[str, JSON]) -> Test:
    if op == _TIME:
        return hours.between(_operand(raw), raw.get("tz", "Z"))
    if "tz" in raw:
        raise Refused("bad_condition", f"tz belongs to {_TIME}")
    build = TESTS.get(op) if isinstance(op, str) else None
    if build is None:
        raise Refused("unknown_operator", f"op is one of {', '.join(sorted([*TESTS, _TIME]))}")
    return build(_operand(raw))


def _operand(raw: dict[str, JSON]) -> JSON:
    if "value" not in raw:
        raise Refused("bad_operand", "value is missing")
    return raw["value"]


def _absences(op: str, raw: dict[str, JSON]) -> tuple[Truth, Truth]:
    """What a missing and a misplaced path mean."""
    on_missing = raw.get("on_missing", "error")
    if not isinstance(on_missing, str) or on_missing not in _ON_MISSING:
        raise Refused("bad_on_missing", "on_missing is error or no_match")
    if op == "exists":
        if on_missing != "error":
            raise Refused("bad_on_missing", "exists itself asks what is missing")
        absent = known(not raw["value"])
        return absent, absent
    return _ON_MISSING[on_missing], ERROR
