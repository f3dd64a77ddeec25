"""How much of each room the tests run, from the data of every part together."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from coverage import Coverage
from coverage.exceptions import NoDataError


class Gate(NamedTuple):
    """A part of the code, and the least per cent of its lines and branches."""

    name: str
    least: float
    include: tuple[str, ...]
    omit: tuple[str, ...] = ()


STRICT = ("*/agentxsuite/engines/*", "*/agentxsuite/gateway/*")
GATES = (
    Gate("engines", 100, STRICT[:1]),
    Gate("gateway", 100, STRICT[1:]),
    Gate("the rest", 90, ("*/agentxsuite/*",), STRICT),
)


def told(data: Path, say: Callable[[str], None]) -> bool:
    """Say what is covered, and what is missing where it is too little; whether it is enough."""
    combined = Coverage(data_file=str(data))
    combined.combine()
    enough = True
    for gate in GATES:
        per_cent, table = _measure(combined, gate)
        say(f"{gate.name}: {per_cent:.1f}% of lines and branches, least {gate.least}%")
        if per_cent < gate.least:
            say(f"{table}\nFAILED: too little of {gate.name} is tested")
            enough = False
    return enough


def _measure(combined: Coverage, gate: Gate) -> tuple[float, str]:
    """Return per cent, and the table of what is missing; nothing there to measure is enough."""
    table = io.StringIO()
    try:
        return combined.report(include=gate.include, omit=gate.omit, file=table), table.getvalue()
    except NoDataError:
        return 100.0, ""
