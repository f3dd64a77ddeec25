"""The figures as tables: on the terminal, and in RESULTS.md."""

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.rounds import CONNECTIONS, Plan, Readings

HEAD = (
    "target",
    "calls/s",
    "spread",
    "p50 ms",
    "p99 ms",
    "CPU µs a call",
    "of the bare proxy",
    "of the upstream",
)
EXPLANATION = """\
Medians of the rounds; the spread is the slowest and the fastest of them. A ratio is the median of
the ratios within each round, to the bare proxy (`benchmarks/proxy.py`, which checks nothing) and to
the upstream called directly. The proxy of the SDK (`benchmarks/sdk_proxy.py`) is the protocol's own
server before its own client, and checks nothing either. "MCP" speaks as of 2026-07-28, "MCP of
2025" as of 2025-11-25. CPU is that of the serving process alone; the load client, the upstream and
the databases share the machine's cores with it, so that ratios say more than rates. Every answer is
checked to be the one to its call. The governed targets are one worker with everything on: decision,
limit, schema, and two durable commits a call.
"""


def calls_tables(readings: Readings, direct: str, proxy: str) -> str:
    """A table of the calls at every number of connections."""
    return "\n".join(
        f"### {connections} connection{'s' if connections > 1 else ''}\n\n"
        + table(
            HEAD,
            [calls_row(readings, name, connections, (proxy, direct)) for name in readings.names()],
        )
        for connections in CONNECTIONS
    )


def calls_row(
    readings: Readings, name: str, connections: int, yardsticks: Sequence[str]
) -> list[str]:
    """The figures of one target."""
    taken = readings.of(name, connections)
    rates = [reading.rate for reading in taken]
    return [
        name,
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{median(reading.p50 for reading in taken):.2f}",
        f"{median(reading.p99 for reading in taken):.2f}",
        f"{median(reading.cpu for reading in taken):.0f}",
        *(f"{readings.ratio(name, to, connections):.1%}" for to in yardsticks),
    ]


def decisions_table(rates: Mapping[int, Sequence[float]]) -> str:
    """A table of the decisions at every number of rules."""
    fewest = median(next(iter(rates.values())))
    rows = [
        [
            f"{rules:,}",
            f"{median(found):,.0f}",
            f"{min(found):,.0f} to {max(found):,.0f}",
            f"{median(found) / fewest:.0%}",
        ]
        for rules, found in rates.items()
    ]
    return table(("rules", "decisions/s", "spread", "of the fewest rules"), rows)


def page(facts: Mapping[str, str], command: str, plan: Plan, tables: Sequence[str]) -> str:
    """RESULTS.md, whole."""
    calls, decisions = tables
    about = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    return (
        f"# Results\n\n{about}\n- command: `{command}`\n- {plan}\n\n"
        f"## Governed calls\n\n{EXPLANATION}\n{calls}\n"
        f"## Policy decisions\n\nOn one core, without an explanation.\n\n{decisions}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, aligned for readers of the text too; figures stand to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = [
        "-" * width if index == 0 else "-" * (width - 1) + ":" for index, width in enumerate(widths)
    ]
    lines = [
        [
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (head, rule, *rows)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
