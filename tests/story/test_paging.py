"""A page of a long list, and how much of the list the database reads for it.

On PostgreSQL by its own account of the statement that the route ran, with 50,000 events and 10,000
runs; `benchmarks/paging.py` does it with a million. A filter by time reads up to an hour more than
it shows, as ids are that far from what they tell of. What begins with a prefix is in no order of
time: the newest rows are read until a page is full where many begin so, and else all that do.
"""

from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.runs.models import Run
from agentxsuite.control.tenancy.services import add_member
from tests import cast
from tests.cast import client
from tests.servers.plans import scanned
from tests.witness import conninfo_of_tests, forging

company, rival = cast.company, cast.rival  # fixtures, asked for by name
EVENTS, RUNS, BOUND, PREFIX_BOUND = 50_000, 10_000, 1_000, 5_000
STEP = 48  # seconds from one to the next: they go on into months that are there already
ID = f"""(lpad(to_hex(((extract(epoch FROM now()) + n * {STEP}) * 1000)::bigint), 12, '0')
  || '7' || lpad(to_hex(n %% 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid"""
NOW = {"ts": f"now() + n * interval '{STEP} s'"}
EVENT = NOW | {
    "subject": "CASE n %% 997 WHEN 0 THEN 'user:' ELSE 'agent:' END || n %% 97",
    "action": "CASE n %% 11 WHEN 0 THEN 'tool.invoke' ELSE 'organization.change' END",
    "target": "'tool:pay/' || n %% 997",
    "decision": f"CASE WHEN n < {EVENTS // 100} THEN 'deny' ELSE 'allow' END",
}
FILTERS = ["", "subject=agent:7", "action=tool.invoke", "target=tool:pay/5", "decision=deny"]
FILTERS += ["subject=agent:none", "decision=deny&action=tool.invoke"]
PREFIXES = ["subject=agent:*", "subject=user:*", "action=tool*", "target=tool:pay/5*"]
PREFIXES += ["target=tool:none/*", "subject=agent:*&action=tool*"]


@pytest.fixture
def places(company, rival):
    """Two organizations in whose audit Alice may read."""
    add_member(rival.actor, rival.organization, company.owner, "auditor")
    return [company.organization.id, rival.organization.id]


@pytest.fixture
def rows(company):
    """One event and one run, to be copied."""
    own = {"organization": company.organization}
    with forging():
        run = {"agent_name": "clerk", "tool_name": "pay/send", "subject": "agent:7", "door": "mcp"}
        run |= {"decision_id": uuid4(), "timeout_seconds": 1, "input_json": {}}
        Run.objects.create(
            **own, **run, environment=company.prod, agent_id=uuid4(), tool_id=uuid4()
        )
        AuditEvent.objects.create(**own, event_type="x", subject="agent:7", action="x", target="x")


def spread(admin, model, count, places, **facts):
    """Copy a row of each table so many times, over the organizations."""
    table, names = model._meta.db_table, [each.column for each in model._meta.concrete_fields]
    turn = "CASE WHEN n %% 4 = 0 THEN %s::uuid ELSE %s::uuid END"
    made = {"id": ID, "organization_id": turn, **facts}
    values = ", ".join(made.get(name, name) for name in names)
    into = f"INSERT INTO {table} ({', '.join(names)})"
    one = f"SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) AS one"  # noqa: S608 - our own words
    admin.execute(f"{into} {one}, generate_series(1, {count}) n", places)
    admin.execute(f"ANALYZE {table}")


@pytest.fixture
def many(places, rows):
    """A database that is full, asked by one who may do everything."""
    with psycopg.connect(conninfo_of_tests()) as admin:
        spread(admin, AuditEvent, EVENTS, places, **EVENT)
        spread(admin, Run, RUNS, places)


def ran(alice, address, model, statements=1):
    """The answer, and the statements, by default the one, that read rows of a model."""
    with CaptureQueriesContext(connection) as asked:
        answer = alice.get(address)
    assert answer.status_code == 200, answer.content
    told = [each["sql"] for each in asked if model._meta.db_table in each["sql"]]
    assert len(told) == statements, told
    return answer.json(), *told


def read(sql, places):
    """What PostgreSQL does for a statement, as the role `app`."""
    database = connection.settings_dict
    known = {"user": database["USER"], "host": database["HOST"], "port": database["PORT"]}
    with psycopg.connect(make_conninfo("", dbname=database["NAME"], **known)) as app:
        listed = ",".join(map(str, places))
        app.execute("SELECT set_config('agentxsuite.organizations', %s, true)", [listed])
        told = app.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}").fetchone()
    return told[0][0]["Plan"]


@pytest.mark.database(only="postgres")
@pytest.mark.django_db(transaction=True)
def test_no_page_reads_more_than_a_page(company, places, many):
    """Otherwise: the audit of a busy organization takes the database from everybody else."""
    alice, own = client(company.owner), f"/api/v1/orgs/{company.organization.id}"
    then = timezone.now() + timezone.timedelta(days=20)
    times = [f"{name}={then:%Y-%m-%dT%H:%M:%SZ}" for name in ("ts_from", "ts_to")]
    lists = [(f"{own}/audit/", AuditEvent, each) for each in (*FILTERS, *PREFIXES, *times)]
    lists += [("/api/v1/audit/", AuditEvent, each) for each in (*FILTERS, *PREFIXES, *times)]
    lists += [(f"{own}/runs/", Run, "")]
    for home, model, query in lists:
        bound = PREFIX_BOUND if "*" in query else BOUND
        shown, sql = ran(alice, f"{home}?{query}", model)
        assert scanned(read(sql, places)) <= bound, (home, query, sql)
        if shown["next"]:
            _, deeper = ran(alice, shown["next"], model)
            assert scanned(read(deeper, places)) <= bound, (home, query, deeper)


@pytest.mark.database(only="sqlite")
@pytest.mark.django_db
def test_sqlite_finds_pages_by_an_index(company, places, rows):
    """Otherwise: a small installation that was used for a year gets slower by the day."""
    alice, own = client(company.owner), f"/api/v1/orgs/{company.organization.id}"
    asked = [(f"{own}/audit/", AuditEvent, each) for each in FILTERS[:4]]
    asked += [("/api/v1/audit/", AuditEvent, ""), (f"{own}/runs/", Run, "")]
    for home, model, query in asked:
        _, sql = ran(alice, f"{home}?{query}", model)
        plan = searched(sql)
        assert all("INDEX" in step for step in plan if step.startswith(("SCAN", "SEARCH"))), plan
        assert home == "/api/v1/audit/" or not [s for s in plan if "TEMP B-TREE" in s], plan


@pytest.mark.database(only="sqlite")
@pytest.mark.django_db
@pytest.mark.parametrize("query", PREFIXES)
def test_sqlite_enters_an_index_by_a_prefix(company, rows, query):
    """Otherwise: a search for what hardly ever happens reads everything that ever did."""
    home = f"/api/v1/orgs/{company.organization.id}/audit/"
    _, sql = ran(client(company.owner), f"{home}?{query}", AuditEvent)
    assert "(organization_id=? AND " in searched(sql)[0]


def searched(sql):
    """The steps by which SQLite would find the rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]
