from uuid import uuid4

import pytest

from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.catalog.services import create_connection
from tests.cast import client

pytestmark = pytest.mark.database


@pytest.fixture
def path(company):
    made = create_connection(company.actor, company.prod, "Pdf", "https://pdf.example/mcp")
    return f"/api/v1/connections/{made.id}/sync/"


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 503), ("bob", 503), ("vera", 403), ("ada", 403)]
)
def test_an_operator_or_above_may_sync(company, path, name, status):
    """Whoever only looks could change what agents may call; 503 is a server that serves no one."""
    answer = client(company.people[name]).post(path)
    assert answer.status_code == status
    assert answer.json()["code"] == {503: "upstreams_closed", 403: "forbidden"}[status]


def test_a_stranger_finds_nothing(company, rival, path):
    """A tenant could find out another tenant's connections."""
    stranger = client(rival.owner)
    answers = [stranger.post(path), stranger.post(f"/api/v1/connections/{uuid4()}/sync/")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert client().post(path).status_code == 401


def test_a_deleted_connection_is_not_there(company, path):
    """What somebody took away could still be used."""
    Connection.objects.update(deleted_at=company.prod.created_at)
    assert client(company.owner).post(path).status_code == 404
