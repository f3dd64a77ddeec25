"""One fault under load, the same for all: it happens, it ends, everybody answers again."""

import time
from collections.abc import Callable

from tests.faults import evidence
from tests.faults.broken import Broken, require
from tests.faults.client import Load, first_successes, loaded
from tests.faults.stage import Stage

RECOVERY = 5.0  # seconds after a fault within which every worker answers with success
PATIENCE = 20.0  # seconds that are waited, so that a broken promise has a figure
AROUND = {True: 0.3, False: 1.0}  # seconds of load before and after the fault, short or not
SETTLED = 45.0  # seconds after which no run is open: the longest timeout, and 30, and some


def survived(stage: Stage, fault: Callable[[Load], None], *, short: bool) -> list[str]:
    """Let the fault happen under load, once; figures. Raises Broken."""
    with loaded(stage) as load:
        time.sleep(AROUND[short])  # the load is the subject
        fault(load)
        ended = time.monotonic()
        load.until_all_answer(ended, PATIENCE)
        time.sleep(AROUND[short])  # as above
    if not short:
        evidence.settle(stage, SETTLED)
    return judged(stage, load, ended)


def judged(stage: Stage, load: Load, ended: float) -> list[str]:
    """What is on record after a fault that ended at that moment, and how fast all recovered."""
    slowest = max(first_successes(load.answers(), ended).values())
    findings, lines = [], [f"every worker answered again after {slowest:.2f} s"]
    if slowest > RECOVERY:
        findings.append(f"a worker's first success came {slowest:.1f} s after the fault ended")
    try:
        lines += evidence.agreed(stage, load)
    except Broken as broken:
        findings += broken.lines
    require(findings)
    return lines
