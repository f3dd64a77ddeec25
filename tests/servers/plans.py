"""How much of a table PostgreSQL read for a statement, by its own account (EXPLAIN's JSON)."""

from typing import Any


def scanned(plan: dict[str, Any], table: str = "", *, rows_alone: bool = False) -> int:
    """Return how many rows the scans of a plan read, those that a filter then took away too.

    Of one table where it is named, and without what was found in an index alone if asked.
    """
    inner = sum(scanned(each, table, rows_alone=rows_alone) for each in plan.get("Plans", ()))
    if inner or "Scan" not in plan["Node Type"]:
        return inner
    if table not in {"", plan.get("Relation Name")} or (rows_alone and _in_index_alone(plan)):
        return 0
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    read = plan["Actual Rows"] + sum(plan.get(name, 0) for name in removed)
    return int(read * plan["Actual Loops"])


def _in_index_alone(plan: dict[str, Any]) -> bool:
    return plan["Node Type"] == "Index Only Scan" and not plan["Heap Fetches"]
