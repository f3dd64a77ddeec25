"""What a policy said before stays readable, can be compared, and comes back when asked for."""

import pytest
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]

READ = {"action": "tool.invoke", "target": "tool:pdf/*", "effect": "allow"}
PAY = {"action": "tool.invoke", "target": "tool:pay/*", "effect": "deny"}


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def at(company, alice):
    """Where a policy lives that has said three things so far."""
    home = f"/api/v1/orgs/{company.organization.id}/policies/"
    bound = [{"scope_type": "agent", "scope_id": str(company.agent().id)}]
    first = {"name": "first", "rules": [READ, PAY], "bindings": bound}
    made = alice.post(home, first, format="json").json()
    at = f"{home}{made['id']}/"
    rules = [{**made["rules"][0], "message": "Read."}]
    alice.patch(at, {"rules": rules}, format="json")
    alice.patch(at, {"name": "third", "bindings": []}, format="json")
    return at


def test_every_version_stays_readable(at, alice, company):
    """Otherwise: nobody can tell what was in force when a call was made."""
    listed = alice.get(f"{at}versions/").json()
    assert listed["count"] == 3
    assert [row["number"] for row in listed["results"]] == [3, 2, 1]
    author = {"id": str(company.owner.id), "email": company.owner.email}
    assert listed["results"][0]["created_by"] == author
    first = alice.get(f"{at}versions/1/").json()
    assert (first["rules_json"]["name"], len(first["rules_json"]["rules"])) == ("first", 2)
    assert "rules_json" not in listed["results"][0]


def test_versions_are_compared(at, alice):
    """Otherwise: a reviewer has to find one changed word among 500 rules."""
    against_current = alice.get(f"{at}versions/1/diff/").json()
    assert (against_current["from"], against_current["to"]) == (3, 1)
    assert against_current["changes"] == {"name": {"from": "third", "to": "first"}}
    assert [rule["target"] for rule in against_current["rules"]["added"]] == ["tool:pay/*"]
    assert len(against_current["bindings"]["added"]) == 1
    step = alice.get(f"{at}versions/2/diff/?against=1").json()
    assert step["changes"] == {}
    assert [rule["target"] for rule in step["rules"]["removed"]] == ["tool:pay/*"]
    (changed,) = step["rules"]["changed"]
    assert changed["changes"] == {"message": {"from": "", "to": "Read."}}


def test_an_old_version_comes_back(at, alice, company):
    """Otherwise: after a bad edit the good rules have to be remembered and typed again."""
    before = alice.get(f"{at}versions/1/").json()["rules_json"]
    answer = alice.post(f"{at}versions/1/restore/", {}, format="json", HTTP_IF_MATCH='"3"')
    assert answer.status_code == 200, answer.content
    assert (answer["ETag"], answer.json()["version"]) == ('"4"', 4)
    assert answer.json()["rules_json"] == before
    assert alice.get(f"{at}versions/1/").json()["rules_json"] == before
    event = AuditEvent.objects.filter(action="policy.restore").get()
    assert (event.event_type, event.event_data["restored"]) == ("policy_changed", 1)
    again = alice.post(f"{at}versions/1/restore/", {}, format="json")
    assert again.json()["version"] == 4
    late = alice.post(f"{at}versions/2/restore/", {}, format="json", HTTP_IF_MATCH='"3"')
    assert late.status_code == 412


def test_a_version_comes_back_though_an_agent_has_gone(at, alice, company):
    """Otherwise: in the middle of an incident the way back is barred by a deleted agent."""
    agent = alice.get(f"{at}versions/1/").json()["rules_json"]["bindings"][0]["scope_id"]
    company.organization.agent_set.filter(id=agent).update(deleted_at=timezone.now())
    answer = alice.post(f"{at}versions/1/restore/", {}, format="json").json()
    assert answer["bindings"][0]["scope_id"] == agent


def test_what_cannot_come_back_is_refused(at, alice, company):
    """Otherwise: a policy comes back for no place, or opens everything without a word."""
    alice.patch(at, {"environment": str(company.dev.id)}, format="json")
    everything = {"action": "*", "target": "*", "effect": "allow"}
    here = {"scope_type": "org", "scope_id": str(company.organization.id)}
    broad = {"environment": None, "rules": [everything], "bindings": [here]}
    alice.patch(at, {**broad, "acknowledge_broad": True}, format="json")
    alice.patch(at, {"bindings": []}, format="json")
    company.dev.deleted_at = timezone.now()
    company.dev.save()
    gone = alice.post(f"{at}versions/4/restore/", {}, format="json")
    assert gone.json()["errors"][0]["path"] == "/environment"
    refused = alice.post(f"{at}versions/5/restore/", {}, format="json")
    assert refused.json()["code"] == "broad_allow"
    body = {"acknowledge_broad": True}
    assert alice.post(f"{at}versions/5/restore/", body, format="json").status_code == 200
    unknown = alice.post(f"{at}versions/5/restore/", {"force": True}, format="json")
    assert unknown.json()["errors"][0]["path"] == "/force"


@pytest.mark.parametrize("number", ["0", "4", "99999999999999999999999"])
def test_a_version_that_never_was_is_not_there(at, alice, number):
    """Otherwise: a slip of the pen ends in a server error."""
    for path in ("", "diff/"):
        assert alice.get(f"{at}versions/{number}/{path}").status_code == 404
    assert alice.post(f"{at}versions/{number}/restore/", {}, format="json").status_code == 404
    answer = alice.get(f"{at}versions/1/diff/?against={number}")
    assert answer.json()["errors"][0]["path"] == "/against"


def test_versions_are_seen_by_who_sees_the_policy(at, company, rival):
    """Otherwise: a stranger reads a tenant's rules by their past."""
    vera, ada, charlie = client(company.people["vera"]), client(company.people["ada"]), rival.owner
    restore = f"{at}versions/1/restore/"
    assert vera.get(f"{at}versions/1/diff/").status_code == 200
    assert vera.post(restore, {}, format="json").status_code == 403
    for path in ("versions/", "versions/1/", "versions/1/diff/"):
        assert ada.get(f"{at}{path}").status_code == 403
        assert client(charlie).get(f"{at}{path}").status_code == 404
        assert client().get(f"{at}{path}").status_code == 401
    assert client(charlie).post(restore, {}, format="json").status_code == 404


def test_a_long_history_costs_as_many_queries_as_a_short_one(
    at, alice, django_assert_max_num_queries
):
    """Otherwise: the history of a busy policy takes a minute."""
    with django_assert_max_num_queries(50) as few:
        alice.get(f"{at}versions/")
    once = len(few)
    for number in range(47):
        alice.patch(at, {"name": f"name {number}"}, format="json")
    with django_assert_max_num_queries(once):
        assert len(alice.get(f"{at}versions/").json()["results"]) == 50
