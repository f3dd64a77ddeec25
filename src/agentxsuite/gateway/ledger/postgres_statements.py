"""What the ledger says to PostgreSQL: a whole batch is one statement.

Rows travel as JSON arrays; common table expressions insert runs, end runs, insert steps and insert
events in one implicit transaction. All of them see the table as it was before, so that what one
did is known to the others only by what it returns.
"""

from collections.abc import Iterator, Mapping

from agentxsuite.gateway.ledger import columns

OURS = "SELECT id FROM skipped"


def recordset(types: Mapping[str, str]) -> str:
    """One JSON array as rows; JSON columns travel as text, so that no number is touched."""
    names = ", ".join(
        f"{name} {'text' if kind == 'jsonb' else kind}" for name, kind in types.items()
    )
    return f"json_to_recordset(%s::json) AS x({names})"


def given(types: Mapping[str, str]) -> str:
    """SELECT of one JSON array."""
    return f"SELECT * FROM {recordset(types)}"  # noqa: S608  -- our own names


def insertion(table: str, types: Mapping[str, str], source: str = "") -> str:
    """INSERT of one JSON array, or of another source of its rows."""
    names = ", ".join(types)
    picked = ", ".join(typed(name, kind) for name, kind in types.items())
    return f"INSERT INTO {table} ({names}) SELECT {picked} FROM {source or recordset(types)}"  # noqa: S608  -- our own names


def ending() -> str:
    """UPDATE of those runs of ``wanted`` that have not ended."""
    sets = ", ".join(
        f"{name} = {typed(name, kind)}" for name, kind in columns.END.items() if name != "id"
    )
    return (
        f"UPDATE {columns.RUN_TABLE} AS r SET {sets} FROM wanted AS x "  # noqa: S608  -- our own names
        f"WHERE r.id = x.id AND r.{columns.UNFINISHED} RETURNING r.id"
    )


def typed(name: str, kind: str) -> str:
    """A column of the record set in its table's type."""
    return f"x.{name}::jsonb" if kind == "jsonb" else f"x.{name}"


def writing(*, keyed: bool) -> str:
    """The whole batch; returns the runs that are skipped because their guard did not hold.

    Parameters: [keys,] ends, runs, steps, events[, ids of runs whose keys are released].
    """
    clauses = dict(reserving()) if keyed else {}
    clauses |= {
        "wanted": given(columns.END),
        "ended": ending(),
        "skipped": "SELECT id FROM wanted EXCEPT SELECT id FROM ended",
    }
    if keyed:
        clauses["skipped"] += " UNION ALL SELECT id FROM taken"
    among = f"IN ({OURS})"
    runs = insertion(columns.RUN_TABLE, columns.RUN)
    clauses |= {
        "runs": f"{runs} WHERE x.id NOT {among}" if keyed else runs,
        "steps": f"{insertion(columns.STEP_TABLE, columns.STEP)} WHERE x.run_id NOT {among}",
        "events": f"{insertion(columns.EVENT_TABLE, columns.EVENT)} "
        f"WHERE x.run_id IS NULL OR x.run_id NOT {among}",
    }
    if keyed:
        clauses["released"] = releasing()
    expressions = ", ".join(f"{name} AS ({clause})" for name, clause in clauses.items())
    return f"WITH {expressions} {OURS}"


def reserving() -> Iterator[tuple[str, str]]:
    """Reserve keys; ``taken`` are the runs whose key somebody else has."""
    yield "asked", given(columns.KEY)
    conflict = f"ON CONFLICT ({', '.join(columns.ONE_KEY)}) DO NOTHING RETURNING run_id"
    yield "reserved", f"{insertion(columns.KEY_TABLE, columns.KEY, 'asked AS x')} {conflict}"
    yield "taken", "SELECT run_id AS id FROM asked EXCEPT SELECT run_id FROM reserved"


def releasing() -> str:
    """DELETE of the keys of runs that end in this batch."""
    return (
        f"DELETE FROM {columns.KEY_TABLE} AS k USING ended "  # noqa: S608  -- our own names
        "WHERE k.run_id = ended.id AND k.run_id = ANY (%s::uuid[])"
    )


def recognising() -> str:
    """Those of the ends of one JSON array that are on record exactly so."""
    same = " AND ".join(f"r.{name} IS NOT DISTINCT FROM x.{name}" for name in columns.SAME_END)
    return (
        f"SELECT r.id FROM {columns.RUN_TABLE} AS r JOIN {recordset(columns.END)} "  # noqa: S608  -- our own names
        f"ON r.id = x.id AND {same}"
    )
