"""How much of each room the tests run, told before pytest's summary: a pytest plugin.

It combines the data of earlier runs with the data of this one, which runs under coverage.
"""

import io
from typing import NamedTuple

import pytest
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
LINES = pytest.StashKey[list[str]]()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    combined = _combined()
    lines = session.config.stash[LINES] = []
    for gate in GATES:
        per_cent, table = _measure(combined, gate)
        lines.append(f"{gate.name}: {per_cent:.1f}% of lines and branches, least {gate.least}%")
        if per_cent < gate.least:
            lines.extend([*table.splitlines(), f"FAILED: too little of {gate.name} is tested"])
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("coverage")
    for line in terminalreporter.config.stash[LINES]:
        terminalreporter.line(line)


def _combined() -> Coverage:
    running = Coverage.current()
    assert running, "this plugin works under `coverage run`"
    running.stop()
    running.save()
    combined = Coverage()
    combined.combine(keep=True)
    return combined


def _measure(combined: Coverage, gate: Gate) -> tuple[float, str]:
    """Return per cent, and the table of what is missing; nothing there to measure is enough."""
    table = io.StringIO()
    try:
        return combined.report(include=gate.include, omit=gate.omit, file=table), table.getvalue()
    except NoDataError:
        return 100.0, ""
