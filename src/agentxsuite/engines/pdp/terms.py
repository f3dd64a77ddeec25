"""Terms: what an allow demands of a call. Combining them only ever tightens."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from agentxsuite.engines.pdp import kinds
from agentxsuite.engines.pdp.kinds import expect, kind_of
from agentxsuite.engines.pdp.paths import parse_path
from agentxsuite.engines.pdp.problems import Refused, Report
from agentxsuite.wire import JSON

MAX_TIMEOUT = 300
MAX_RATE = 1_000_000
MAX_REDACTIONS = 50
REDACTABLE = frozenset({"input", "output"})


class Rate(NamedTuple):
    """Calls a minute per agent and tool, and how many may come at once."""

    per_minute: int = 60
    burst: int = 60


class Terms(NamedTuple):
    """Terms of one rule, or of all matching allows; ``timeout`` in seconds, None for no own limit.

    A rule that states no rate has the default one: were it unlimited, adding a rule with a higher
    rate beside it would loosen a term.
    """

    timeout: float | None = None
    rate: Rate = Rate()
    redact: tuple[str, ...] = ()
    approval: tuple[str, ...] = ()

    def tightened(self, other: "Terms") -> "Terms":
        """Both together: the smallest timeout and rate, every redaction and approval."""
        timeouts = [each.timeout for each in (self, other) if each.timeout is not None]
        return Terms(
            min(timeouts, default=None),
            Rate(
                min(self.rate.per_minute, other.rate.per_minute),
                min(self.rate.burst, other.rate.burst),
            ),
            _union(self.redact, other.redact),
            _union(self.approval, other.approval),
        )

    def as_json(self) -> dict[str, JSON]:
        """Plain JSON."""
        return {
            "timeout": self.timeout,
            "rate": self.rate._asdict(),
            "redact": list(self.redact),
            "approval": list(self.approval),
        }


DEFAULT_TERMS = Terms()


def _union(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*left, *right}))


def read_terms(raw: JSON, report: Report, at: str) -> Terms:
    """The terms of an allow; notes what is wrong under ``at``."""
    if raw is None or raw == {}:
        return DEFAULT_TERMS
    if kind_of(raw) != kinds.OBJECT:
        report.add(at, "bad_terms", "terms are an object")
        return DEFAULT_TERMS
    read: dict[str, Any] = {
        name: report.attempt(f"{at}/{name}", partial(_READERS.get(name, _unknown), value))
        for name, value in raw.items()
    }
    return Terms(**{name: value for name, value in read.items() if value is not None})


def _timeout(raw: JSON) -> float:
    expect(raw, kinds.NUMBER)
    if not 1 <= raw <= MAX_TIMEOUT:
        raise Refused("bad_timeout", f"timeout is 1 to {MAX_TIMEOUT} seconds")
    return float(raw)


def _rate(raw: JSON) -> Rate:
    if kind_of(raw) != kinds.OBJECT or not {"per_minute"} <= raw.keys() <= {"per_minute", "burst"}:
        raise Refused("bad_rate", 'rate is an object, as {"per_minute": 60, "burst": 10}')
    per_minute = _count(raw["per_minute"])
    return Rate(per_minute, _count(raw.get("burst", per_minute)))


def _count(raw: JSON) -> int:
    if type(raw) is not int or not 1 <= raw <= MAX_RATE:
        raise Refused("bad_rate", f"per_minute and burst are whole numbers from 1 to {MAX_RATE}")
    return raw


def _redact(raw: JSON) -> tuple[str, ...]:
    expect(raw, kinds.ARRAY)
    if len(raw) > MAX_REDACTIONS:
        raise Refused("list_size", f"redact has at most {MAX_REDACTIONS} paths")
    return tuple(sorted({parse_path(item, REDACTABLE).text for item in raw}))


def _approval(_raw: JSON) -> object:
    raise Refused("term_not_enforced", "nothing enforces approval yet, so it cannot be promised")


def _unknown(_raw: JSON) -> object:
    raise Refused("unknown_term", f"a term is one of {', '.join(sorted(_READERS))}")


_READERS: dict[str, Callable[[JSON], object]] = {
    "timeout": _timeout,
    "rate": _rate,
    "redact": _redact,
    "approval": _approval,
}
