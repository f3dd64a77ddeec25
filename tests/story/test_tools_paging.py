"""A thousand tools, page by page: each is seen once, and a page reads the rows that it shows.

`count` is counted in an index; the rows themselves, with their schemas, are left alone.
"""

import json
from base64 import urlsafe_b64encode
from uuid import uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.catalog.services import create_connection
from tests import cast
from tests.cast import client
from tests.servers.plans import scanned
from tests.story.conftest import serving
from tests.story.test_paging import ran, read, searched
from tests.witness import conninfo_of_tests

company, master_keys = cast.company, cast.master_keys  # fixtures, asked for by name
TOOLS, SIZE, LARGEST = 1_000, 25, 200
BOUND = 4 * SIZE  # near the end all that is left may be sorted
SCHEMA = {"type": "object", "properties": {"path": {"type": "string", "description": "x" * 1_500}}}


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/tools/"


@pytest.fixture
def taken_up(company, master_keys):
    """Store tools of these names, in one environment or another."""

    def taken_up(names, place="prod"):
        where = getattr(company, place)
        server = create_connection(company.actor, where, "Many", "https://many.example/mcp")
        Tool.objects.bulk_create(
            Tool(
                organization=company.organization,
                environment=where,
                connection=server,
                name=f"many/{name}",
                upstream_name=name,
                version="1",
                schema_json=SCHEMA,
            )
            for name in names
        )

    return taken_up


@pytest.fixture
def thousand(taken_up):
    taken_up(f"tool-{number:04}" for number in range(TOOLS))
    if connection.vendor == "postgresql":
        with psycopg.connect(conninfo_of_tests(), autocommit=True) as admin:
            admin.execute(
                "VACUUM ANALYZE catalog_tool, catalog_tooldefinition, tenancy_environment"
            )


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def pages(reader, address):
    """Every page from an address on, by `next`."""
    while address:
        answer = reader.get(address)
        yield names(answer)
        address = answer.json()["next"]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
async def test_every_tool_is_seen_once(company, home, thousand):
    """Otherwise: who looks through all tools misses one that agents may call."""
    token = (await sync_to_async(client)(company.owner))._credentials["HTTP_AUTHORIZATION"]
    seen, address = [], f"{home}?page_size={LARGEST}"
    async with serving("control") as server:
        while address:
            answer = await server.get(address, headers={"authorization": token})
            assert answer.json()["count"] == TOOLS
            seen += names(answer)
            address = answer.json()["next"]
    assert seen == [f"many/tool-{number:04}" for number in range(TOOLS)]


@pytest.mark.database(only="postgres")
@pytest.mark.django_db(transaction=True)
def test_a_page_of_tools_reads_a_page(company, home, thousand):
    """Otherwise: whoever turns pages has the schemas of all tools read and sorted for each."""
    alice, place = client(company.owner), [company.organization.id]
    address, turned = f"{home}?page_size={SIZE}", 0
    while address:
        shown, counted, sql = ran(alice, address, Tool, statements=2)
        assert scanned(read(counted, place), "catalog_tool", rows_alone=True) == 0, counted
        assert scanned(read(sql, place), "catalog_tool") <= BOUND, sql
        address, turned = shown["next"], turned + 1
    assert turned == TOOLS / SIZE


@pytest.mark.database(only="sqlite")
@pytest.mark.django_db
def test_sqlite_finds_a_page_of_tools_by_an_index(company, home, thousand):
    """Otherwise: a small installation sorts all tools for each page."""
    alice = client(company.owner)
    shown, *_ = ran(alice, home, Tool, statements=2)
    for address in (home, shown["next"]):
        *_, sql = ran(alice, address, Tool, statements=2)
        plan = searched(sql)
        assert any("catalog_tool USING INDEX tool_by_name" in step for step in plan), plan
        assert not any("TEMP B-TREE" in step for step in plan), plan


@pytest.mark.database
@pytest.mark.django_db
def test_pages_end_between_tools_of_one_name(company, home, taken_up):
    """Otherwise: of two environments with the same tools one lacks a tool in the list."""
    for place in ("prod", "dev"):
        taken_up("abc", place)
    found = list(pages(client(company.owner), f"{home}?page_size=1"))
    assert found == [[f"many/{name}"] for name in "aabbcc"]
    rows = client(company.owner).get(home).json()["results"]
    assert len({row["id"] for row in rows}) == len(rows) == 6


@pytest.mark.database
@pytest.mark.django_db
def test_a_page_is_found_by_its_number_in_any_order(company, home, taken_up):
    """Otherwise: a link into a long list shows another page than it says."""
    taken_up("abcdef")
    alice = client(company.owner)
    following = alice.get(f"{home}?page_size=2").json()["next"]
    assert names(alice.get(following)) == ["many/c", "many/d"]
    for page, last in ((3, ["many/e", "many/f"]), (1, ["many/a", "many/b"])):
        assert names(alice.get(following.replace("page=2", f"page={page}"))) == last
    backwards = list(pages(alice, f"{home}?page_size=4&ordering=-name"))
    assert backwards == [["many/f", "many/e", "many/d", "many/c"], ["many/b", "many/a"]]
    assert names(alice.get(f"{following}&ordering=-name")) == ["many/d", "many/c"]


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.parametrize(
    "mark",
    [
        "x",
        "ü",
        [2],
        [2, "a", "b"],
        [2, None, str(uuid4())],
        ["x", "a", str(uuid4())],
        [2, "a\0", str(uuid4())],
        [2, "\ud800", str(uuid4())],
        {"page": 2},
        7,
    ],
)
def test_a_link_that_was_tampered_with_is_no_defect(company, home, mark):
    """Otherwise: a broken link is told as a fault of the server."""
    told = mark if isinstance(mark, str) else urlsafe_b64encode(json.dumps(mark).encode()).decode()
    assert client(company.owner).get(home, {"after": told}).status_code == 404
