"""The audit of all of a person's organizations, as far back as a day, and of nobody else's."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.tenancy.services import add_member
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
token_keys = cast.token_keys
pytestmark = [pytest.mark.database, pytest.mark.django_db]
EVERYWHERE = "/api/v1/audit/"
PROBES = "subject=agent:probe*"


@pytest.fixture
def both(company, rival):
    """Charlie, who owns Globex and audits Acme."""
    add_member(company.actor, company.organization, rival.owner, "auditor")
    return client(rival.owner)


def event(place, number=0, **facts):
    return AuditEvent.objects.create(
        organization=place.organization,
        event_type="run_denied",
        **{
            "subject": f"agent:probe-{number}",
            "action": "tool.invoke",
            "target": "tool:pay/send",
            "decision": "deny",
            **facts,
        },
    )


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_all_of_ones_organizations_are_in_one_list(company, rival, both):
    """Otherwise: whoever watches over several organizations has to look into each by itself."""
    made = [event(place) for place in (company, rival, company)]
    assert ids(both.get(f"{EVERYWHERE}?{PROBES}")) == [str(row.id) for row in reversed(made)]


@pytest.mark.parametrize("name", ["alice", "bob", "vera", "ada"])
def test_every_member_reads_their_own_only(company, rival, name):
    """Otherwise: one tenant reads another one's audit, or a member has none."""
    own, foreign = event(company), event(rival)
    found = ids(client(company.people[name]).get(f"{EVERYWHERE}?{PROBES}"))
    assert found == [str(own.id)]
    assert str(foreign.id) not in found


def test_who_left_reads_nothing_more(company, rival, both):
    """Otherwise: somebody goes on reading after their membership has ended."""
    event(company)
    rival.owner.memberships.filter(organization=company.organization).update(is_active=False)
    assert ids(both.get(f"{EVERYWHERE}?{PROBES}")) == []


def test_the_list_goes_back_a_day(company):
    """Otherwise: a question about today reads through years."""
    now = timezone.now()
    hours = {hour: event(company, ts=now - timedelta(hours=hour)) for hour in (25, 1, 23)}
    ada = client(company.people["ada"])
    assert ids(ada.get(f"{EVERYWHERE}?{PROBES}")) == [str(hours[23].id), str(hours[1].id)]
    asked = {"subject": "agent:probe*", "ts_from": (now - timedelta(days=3)).isoformat()}
    assert ids(ada.get(EVERYWHERE, asked)) == [str(hours[23].id), str(hours[1].id)]
    event(company)
    asked = {"subject": "agent:probe*", "ts_to": (now - timedelta(minutes=30)).isoformat()}
    assert ids(ada.get(EVERYWHERE, asked)) == [str(hours[23].id), str(hours[1].id)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("subject=agent:probe-1", [1]),
        ("action=tool.list&subject=agent:probe*", [2]),
        ("target=tool:pay/*&subject=agent:probe*", [1, 0]),
        ("decision=allow&subject=agent:probe*", [2]),
        ("decision=DENY&subject=agent:probe*", [1, 0]),
        ("decision=deny&subject=agent:probe-2", []),
    ],
)
def test_the_six_filters_are_those_of_one_organization(company, query, numbers):
    """Otherwise: a search that works in one place fails in the other."""
    made = [event(company, 0), event(company, 1)]
    made.append(event(company, 2, action="tool.list", target="tool:doc/read", decision="allow"))
    ada = client(company.people["ada"])
    own = f"/api/v1/orgs/{company.organization.id}/audit/"
    expected = [str(made[number].id) for number in numbers]
    assert ids(ada.get(f"{EVERYWHERE}?{query}")) == ids(ada.get(f"{own}?{query}")) == expected


def test_bad_filters_are_told_by_their_name(company):
    """Otherwise: a misspelt filter finds everything, and somebody believes it."""
    ada = client(company.people["ada"])
    for query, path in (("decision=maybe", "/decision"), ("ts_from=once", "/ts_from")):
        answer = ada.get(f"{EVERYWHERE}?{query}")
        assert answer.status_code == 400
        assert [fault["path"] for fault in answer.json()["errors"]] == [path]


def test_pages_go_on_where_they_ended(company, rival, both):
    """Otherwise: somebody reading on misses events, or reads them twice."""
    made = [str(event(place, n).id) for n in range(3) for place in (company, rival)]
    first = both.get(f"{EVERYWHERE}?{PROBES}&page_size=4")
    event(company, 9)
    second = both.get(first.json()["next"])
    assert ids(first) + ids(second) == made[::-1]
    assert second.json()["next"] is None


def test_nobody_reads_without_a_login(company, token_keys):
    """Otherwise: an agent, or anybody, reads who does what."""
    assert client().get(EVERYWHERE).status_code == 401
    agent = client()
    agent.credentials(HTTP_AUTHORIZATION=f"Bearer {company.token(company.agent())}")
    assert agent.get(EVERYWHERE).status_code == 401


def test_the_audit_cannot_be_written(company):
    """Otherwise: whoever did something removes the proof."""
    alice, own = client(company.owner), f"/api/v1/orgs/{company.organization.id}/audit/"
    one = f"{own}{event(company).id}/"
    for address in (EVERYWHERE, own, one):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(alice, method)(address, {}, format="json").status_code == 405
    assert alice.get(one).status_code == 200
    assert alice.get(f"{own}{uuid4()}/").status_code == 404


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_long_list_costs_as_many_queries_as_a_short_one(company, everywhere):
    """Otherwise: the audit of a busy organization cannot be read any more."""
    ada = client(company.people["ada"])
    home = EVERYWHERE if everywhere else f"/api/v1/orgs/{company.organization.id}/audit/"

    def cost(rows):
        with CaptureQueriesContext(
            connection,
        ) as spent:
            assert len(ids(ada.get(f"{home}?{PROBES}"))) == rows
        return len(spent)

    event(company)
    cost(1)
    one = cost(1)
    for number in range(49):
        event(company, number)
    assert cost(50) == one
