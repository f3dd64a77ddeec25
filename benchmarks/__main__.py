"""Measure what a governed call costs, beside a bare proxy and the upstream itself.

``python -m benchmarks`` takes about ten minutes and writes benchmarks/RESULTS.md;
``python -m benchmarks --quick`` takes about one and writes nothing.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import calls, decisions, gateway, machine, report, storage
from benchmarks.calls import Address
from benchmarks.processes import end_on_signals, free_port, module, running
from benchmarks.rounds import Plan, Target, measured

RESULTS = Path(__file__).with_name("RESULTS.md")
BY_HAND = "## What each promise costs"
DIRECT, PROXY, SDK = "upstream, directly", "bare proxy", "proxy of the SDK"
FULL = Plan(rounds=5, seconds=3, warmup=1)
QUICK = Plan(rounds=2, seconds=1, warmup=0.5)
DECISIONS = 50_000  # of each size, in each round


def main() -> int:
    """Measure, print, and record; status 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, not recorded")
    quick = parser.parse_args().quick
    plan = QUICK if quick else FULL
    end_on_signals()
    say("Policy decisions ...")
    decided = report.decisions_table(decisions.measure(plan.rounds, DECISIONS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="agentxsuite-bench-")))
        readings = measured(started(stack, folder), plan, say)
    tables = (report.calls_tables(readings, DIRECT, PROXY), decided)
    command = "python -m benchmarks" + (" --quick" if quick else "")
    page = report.page(machine.facts(), command, plan, tables)
    print(page)
    if not quick:
        RESULTS.write_text(f"{page}\n{written_by_hand()}")
    if wrong := readings.wrong():
        say(f"{wrong} answers were wrong")
    return bool(wrong)


def written_by_hand() -> str:
    """What other commands measured: it stands below the figures of this one, and stays."""
    _, mark, rest = RESULTS.read_text().partition(BY_HAND)
    return mark + rest


def started(stack: ExitStack, folder: Path) -> list[Target]:
    """Start every server, until the stack is closed."""
    say("Starting the upstream and the proxies ...")
    upstream = echo(stack, folder, DIRECT, "upstream")
    behind = ("--upstream", upstream.call.address.url)
    proxies = [
        echo(stack, folder, PROXY, "proxy", *behind),
        echo(stack, folder, SDK, "sdk_proxy", *behind),
    ]
    targets = [upstream, *proxies]
    for kind in storage.KINDS:
        say(f"Starting AgentxSuite on {kind.name} ...")
        targets += governed(stack, folder, upstream.call.address.url, kind)
    return targets


def governed(stack: ExitStack, folder: Path, upstream: str, kind: storage.Kind) -> list[Target]:
    """Both doors of one installation on one kind of storage."""
    settings = stack.enter_context(kind.started(folder))
    home = folder / kind.name.split()[0].lower()
    installation = stack.enter_context(gateway.installed(home, upstream, settings))
    return [
        Target(f"REST on {kind.name}", installation.rest(), installation.pid),
        Target(f"MCP on {kind.name}", installation.mcp(), installation.pid),
        Target(f"MCP of 2025 on {kind.name}", installation.older_mcp(), installation.pid),
    ]


def echo(stack: ExitStack, folder: Path, name: str, program: str, *arguments: str) -> Target:
    """The upstream, or a proxy before it."""
    port = free_port()
    command = module(f"benchmarks.{program}", "--port", str(port), *arguments)
    pid = stack.enter_context(running(command, port, folder / f"{program}.log"))
    call = calls.stateless(Address(f"http://127.0.0.1:{port}/mcp"))
    return Target(name, call, pid)


def say(line: str) -> None:
    """Tell progress, apart from the figures."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
