"""How much of a table PostgreSQL read for a statement, by its own account (EXPLAIN's JSON)."""

from typing import Any


def scanned(plan: dict[str, Any]) -> int:
    """Return how many rows the scans of a plan read, those that a filter then took away too."""
    inner = sum(map(scanned, plan.get("Plans", ())))
    if inner or "Scan" not in plan["Node Type"]:
        return inner
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    read = plan["Actual Rows"] + sum(plan.get(name, 0) for name in removed)
    return int(read * plan["Actual Loops"])
