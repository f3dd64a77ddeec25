"""What each promise costs: the same calls with everything on, and with one thing left out.

``python -m benchmarks.prices`` takes about five minutes and prints the table of RESULTS.md.
"""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import __main__ as bench
from benchmarks import gateway, storage
from benchmarks.processes import end_on_signals
from benchmarks.report import table
from benchmarks.rounds import CONNECTIONS, Plan, Readings, Target, measured

WHOLE, AGAIN, KEYED = "everything on", "nothing", "with an Idempotency-Key"
PROMISES = {
    AGAIN: "nothing left out (how far two equal servers differ)",
    "record": "the durable record, before and after the call",
    "freshness": "facts as fresh as the call",
    "wall": "row-level security",
    "shared limits": "limits shared through Redis",
}
FULL = Plan(rounds=7, seconds=3, warmup=0.5)
QUICK = Plan(rounds=1, seconds=1, warmup=0.3)


def main() -> int:
    """Measure and print; status 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run")
    plan = QUICK if parser.parse_args().quick else FULL
    end_on_signals()
    readings = prices(plan)
    print(f"{plan}\n\n{prices_table(readings)}")
    return bool(readings.wrong())


def prices(plan: Plan) -> Readings:
    """Measure every variant of one installation on PostgreSQL and Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-prices-")))
        upstream = bench.echo(stack, folder, "upstream").call.address.url
        kept = stack.enter_context(storage.engines(folder))
        home = folder / "home"
        whole = stack.enter_context(gateway.installed(home, upstream, kept))
        settings = gateway.settings_of(home, upstream, kept, int(whole.url.rpartition(":")[2]))
        targets = [
            Target(WHOLE, whole.rest(), whole.pid),
            Target(KEYED, replace(whole.rest(), keyed=True), whole.pid),
        ]
        for promise in PROMISES:
            less = stack.enter_context(gateway.without(promise, settings, folder, whole))
            targets.append(Target(promise, less.rest(), less.pid))
        return measured(targets, plan, bench.say)


def prices_table(readings: Readings) -> str:
    """A row for each promise: the rate with it, as a share of the rate without it."""
    rows = [
        [what, *(f"{readings.ratio(WHOLE, name, number):.0%}" for number in CONNECTIONS)]
        for name, what in PROMISES.items()
    ]
    keyed = [f"{readings.ratio(KEYED, WHOLE, number):.0%}" for number in CONNECTIONS]
    rows.append(["`Idempotency-Key`, for calls that have one", *keyed])
    return table(("the promise", *(f"c={number}" for number in CONNECTIONS)), rows)


if __name__ == "__main__":
    sys.exit(main())
