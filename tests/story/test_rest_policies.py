"""Policies are written whole over REST, each write a version; nobody undoes another's write."""

import pytest
from django.utils import timezone

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.policies.models import Policy
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]

READ = {"action": "tool.invoke", "target": "tool:pdf/*", "effect": "ALLOW", "name": "read"}
PAY = {
    "action": "tool.invoke",
    "target": "tool:pay/*",
    "effect": "deny",
    "conditions": {"path": "input.amount", "op": "gt", "value": 1000},
    "message": "Ask finance.",
}


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/policies/"


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def everybody(company):
    return {"scope_type": "ORG", "scope_id": str(company.organization.id), "priority": 3}


@pytest.fixture
def body(everybody):
    return {"name": "reading", "rules": [READ], "bindings": [everybody]}


@pytest.fixture
def made(home, alice, body):
    """What the answer to a new policy says, and where it lives."""
    answer = alice.post(home, body, format="json")
    assert answer.status_code == 201, answer.content
    assert answer["ETag"] == '"1"'
    return {**answer.json(), "at": f"{home}{answer.json()['id']}/"}


def write(browser, method, path, body, version=None):
    """Send a body under the condition that the policy is at a version."""
    known = {} if version is None else {"HTTP_IF_MATCH": f'"{version}"'}
    return getattr(browser, method)(path, body, format="json", **known)


def test_a_policy_lives_from_its_making_to_its_end(made, alice, company, home):
    """Otherwise: nobody can say over REST who may do what."""
    rule, binding = made["rules"][0], made["bindings"][0]
    assert (made["version"], made["is_active"], made["environment"]) == (1, True, None)
    assert (rule["effect"], rule["position"], rule["terms"]) == ("allow", 0, {})
    assert (binding["scope_type"], binding["priority"]) == ("org", 3)
    assert made["rules_json"]["rules"][0]["id"] == rule["id"]
    assert [policy.version for policy in policies_of(company.prod)] == [1]
    answer = alice.get(made["at"])
    assert answer["ETag"] == '"1"'
    assert answer.json() == {name: value for name, value in made.items() if name != "at"}
    assert alice.delete(made["at"]).status_code == 204
    assert alice.get(made["at"]).status_code == 404
    assert alice.get(home).json()["count"] == 0
    assert alice.delete(made["at"]).status_code == 404
    assert policies_of(company.prod) == []
    assert write(alice, "post", home, {"name": "reading"}).status_code == 201


def test_put_replaces_rules_and_bindings_whole(made, alice):
    """Otherwise: a rule that an administrator left out goes on deciding."""
    body = {"name": "paying", "rules": [PAY, {**READ, "id": made["rules"][0]["id"]}]}
    answer = write(alice, "put", made["at"], body).json()
    assert (answer["name"], answer["version"], answer["bindings"]) == ("paying", 2, [])
    assert [rule["message"] for rule in answer["rules"]] == ["Ask finance.", ""]
    assert answer["rules"][1]["id"] == made["rules"][0]["id"]
    assert answer["rules"][1]["created_at"] == made["rules"][0]["created_at"]


def test_patch_changes_what_is_named(made, alice, company):
    """Otherwise: to switch a policy off, all of it has to be sent again."""
    answer = write(alice, "patch", made["at"], {"is_active": False})
    assert answer["ETag"] == '"2"'
    assert answer.json()["rules"] == made["rules"]
    assert answer.json()["bindings"] == made["bindings"]
    assert policies_of(company.prod) == []
    moved = write(alice, "patch", made["at"], {"environment": str(company.dev.id)}).json()
    assert (moved["environment"], moved["is_active"]) == (str(company.dev.id), False)
    assert write(alice, "patch", made["at"], {"rules": [PAY]}).json()["version"] == 4


def test_what_was_read_can_be_sent_back(made, alice, body):
    """Otherwise: reading, editing and writing fails, or makes versions that say nothing."""
    shown = alice.get(made["at"]).json()
    assert write(alice, "put", made["at"], shown).json() == shown
    again = write(alice, "put", made["at"], body).json()
    assert (again["version"], again["rules"][0]["id"]) == (1, made["rules"][0]["id"])


def test_a_number_is_not_a_boolean(made, alice):
    """Otherwise: an edited condition is taken for the one before, and goes on as it was."""
    for version, value in enumerate((1, True, 1.5, "1"), start=2):
        condition = {"path": "input.a", "op": "eq", "value": value}
        rule = {**READ, "conditions": condition}
        assert write(alice, "patch", made["at"], {"rules": [rule]}).json()["version"] == version


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_lost_update_is_refused(made, alice, body, method):
    """Otherwise: two administrators undo each other's changes without noticing."""
    assert write(alice, "patch", made["at"], {"name": "first"}, version=1)["ETag"] == '"2"'
    late = write(alice, method, made["at"], {**body, "name": "second"}, version=1)
    assert (late.status_code, late.json()["code"]) == (412, "lost_update")
    assert alice.get(made["at"]).json()["name"] == "first"
    late = alice.patch(made["at"], {}, format="json", HTTP_IF_MATCH='"latest"')
    assert late.status_code == 412
    for fine in ("*", 'W/"2"'):
        answer = alice.patch(made["at"], {}, format="json", HTTP_IF_MATCH=fine)
        assert answer.status_code == 200


def test_every_change_is_on_record(made, alice, company):
    """Otherwise: nobody can tell who opened a door, nor how far."""
    write(alice, "patch", made["at"], {"name": "other", "rules": [PAY], "bindings": []})
    alice.delete(made["at"])
    events = AuditEvent.objects.filter(target=f"policy:{made['id']}").order_by("id")
    assert [(event.event_type, event.action) for event in events] == [
        ("policy_created", "policy.create"),
        ("policy_changed", "policy.change"),
        ("policy_deleted", "policy.delete"),
    ]
    assert {event.subject for event in events} == {f"user:{company.owner.id}"}
    change = events[1].event_data["change"]
    assert change["changes"] == {"name": {"from": "reading", "to": "other"}}
    assert change["rules"]["added"][0]["message"] == "Ask finance."
    assert change["rules"]["removed"][0]["id"] == made["rules"][0]["id"]
    assert len(change["bindings"]["removed"]) == 1


def test_a_great_change_is_told_in_figures(made, alice):
    """Otherwise: one write fills the audit with megabytes."""
    rules = [{**PAY, "message": f"{number}" + "m" * 900} for number in range(100)]
    write(alice, "patch", made["at"], {"rules": rules})
    event = AuditEvent.objects.get(event_type="policy_changed")
    assert event.event_data["change"]["truncated"]
    assert event.event_data["change"]["rules"] == {"added": 100, "removed": 1, "changed": 0}


@pytest.mark.parametrize(
    "case",
    [
        ({"name": ""}, 400, "/name"),
        ({"nmae": "x"}, 400, "/nmae"),
        ({"name": "taken"}, 409, None),
        ({"rules": {}}, 400, "/rules"),
        ({"rules": [{}]}, 400, "/rules/0/action"),
        ({"rules": [READ, {**READ, "effect": "maybe"}]}, 400, "/rules/1/effect"),
        ({"rules": [READ, {**READ, "target": "pdf/read"}]}, 400, "/rules/1/target"),
        ({"rules": [{**READ, "traget": "x"}]}, 400, "/rules/0/traget"),
        ({"rules": [{**READ, "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}]}, 400, "/rules/0/id"),
        ({"rules": [{**READ, "terms": {"timeout": 0}}]}, 400, "/rules/0/terms/timeout"),
        ({"rules": [{**READ, "terms": []}]}, 400, "/rules/0/terms"),
        ({"rules": [{**READ, "conditions": {"path": "x"}}]}, 400, "/rules/0/conditions"),
        ({"rules": [{**READ, "conditions": 7}]}, 400, "/rules/0/conditions"),
        ({"rules": [READ] * 501}, 400, "/rules"),
        ({"bindings": [{"scope_type": "role", "scope_id": "king"}]}, 400, "/bindings/0/scope_id"),
        ({"bindings": [{"scope_type": "moon", "scope_id": "x"}]}, 400, "/bindings/0/scope_type"),
        ({"bindings": [{"scope_type": "role"}]}, 400, "/bindings/0/scope_id"),
        ({"environment": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}, 400, "/environment"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_bad_input_is_told_by_its_field(made, home, alice, body, method, case):
    """Otherwise: somebody guesses which of many rules is wrong, or half of them is in force."""
    change, status, path = case
    write(alice, "post", home, {"name": "taken"})
    wanted = change if method == "patch" else {**body, "name": "new", **change}
    answer = write(alice, method, home if method == "post" else made["at"], wanted)
    assert answer.status_code == status, answer.content
    if path is not None:
        assert path in [fault["path"] for fault in answer.json()["errors"]]
    assert alice.get(made["at"]).json()["version"] == 1
    assert alice.get(home).json()["count"] == 2


def test_everything_for_everybody_must_be_meant(made, alice, home, everybody):
    """Otherwise: a slip of the pen opens every tool to every agent."""
    broad = {"name": "all", "rules": [{"action": "*", "target": "*", "effect": "allow"}]}
    broad["bindings"] = [everybody]
    refused = write(alice, "post", home, broad)
    assert (refused.status_code, refused.json()["code"]) == (400, "broad_allow")
    assert refused.json()["errors"][0]["path"] == "/acknowledge_broad"
    assert write(alice, "patch", made["at"], {"rules": broad["rules"]}).status_code == 400
    answer = write(alice, "post", home, {**broad, "acknowledge_broad": True})
    assert answer.status_code == 201
    assert "acknowledge_broad" not in answer.json()


def test_foreign_things_do_not_exist(made, alice, home, company, rival, everybody):
    """Otherwise: a policy reaches into another tenant, or tells what there is."""
    theirs = rival.allow()
    at = f"{home}{theirs.id}/"
    assert {alice.get(at).status_code, alice.delete(at).status_code} == {404}
    assert write(alice, "put", at, {"name": "x"}).status_code == 404
    answer = write(alice, "patch", made["at"], {"environment": str(rival.prod.id)})
    assert answer.json()["errors"][0]["path"] == "/environment"
    for foreign in (rival.organization.id, rival.owner.id, rival.agent().id):
        kind = {rival.organization.id: "org", rival.owner.id: "user"}.get(foreign, "agent")
        scope = {"scope_type": kind, "scope_id": str(foreign)}
        answer = write(alice, "patch", made["at"], {"bindings": [scope]})
        assert answer.status_code == 400
    stolen = {**READ, "id": str(theirs.rules.get().id)}
    assert write(alice, "patch", made["at"], {"rules": [stolen]}).status_code == 400
    charlie = client(rival.owner)
    assert charlie.get(home).status_code == 404
    assert charlie.get(made["at"]).status_code == 404
    assert client().get(home).status_code == 401


@pytest.mark.parametrize(("name", "seen"), [("vera", 200), ("bob", 200), ("ada", 403)])
def test_only_an_admin_writes_policies(made, home, company, name, seen):
    """Otherwise: whoever may only look gives themselves everything."""
    browser = client(company.people[name])
    assert browser.get(home).status_code == seen
    assert browser.get(made["at"]).status_code == seen
    assert write(browser, "post", home, {"name": "x"}).status_code == 403
    for method in ("put", "patch", "delete"):
        assert write(browser, method, made["at"], {"name": "x"}).status_code == 403
    assert write(browser, "post", f"{made['at']}rules/", READ).status_code == 403


def test_an_agents_token_writes_no_policy(made, home, company, token_keys):
    """Otherwise: an agent allows itself what it was denied."""
    browser = client()
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {company.token(company.agent())}")
    assert browser.get(home).status_code == 401
    assert write(browser, "put", made["at"], {"name": "x"}).status_code == 401


def test_a_rule_is_added_to_a_policy(made, alice):
    """Otherwise: to add one rule, all of them have to be sent again."""
    answer = write(alice, "post", f"{made['at']}rules/", {**PAY, "position": 0}, version=1)
    assert answer.status_code == 201, answer.content
    assert answer["ETag"] == '"2"'
    assert (answer.json()["position"], answer.json()["policy"]) == (0, made["id"])
    shown = alice.get(made["at"]).json()
    assert [rule["id"] for rule in shown["rules"]] == [answer.json()["id"], made["rules"][0]["id"]]
    assert write(alice, "post", f"{made['at']}rules/", PAY, version=1).status_code == 412
    bad = write(alice, "post", f"{made['at']}rules/", {**PAY, "target": "x"})
    assert bad.json()["errors"][0]["path"] == "/target"


def test_policies_go_with_their_environment(made, alice, company, home):
    """Otherwise: lists fill with policies that decide nothing any more."""
    write(alice, "patch", made["at"], {"environment": str(company.dev.id)})
    company.dev.deleted_at = timezone.now()
    company.dev.save()
    assert alice.get(made["at"]).status_code == 404
    assert alice.get(home).json()["count"] == 0


def test_lists_are_narrowed_and_ordered(made, alice, home, company):
    """Otherwise: in a long list nothing can be found."""
    write(alice, "post", home, {"name": "off", "is_active": False})
    write(alice, "post", home, {"name": "dev", "environment": str(company.dev.id)})
    listed = alice.get(f"{home}?ordering=name").json()["results"]
    assert [row["name"] for row in listed] == ["dev", "off", "reading"]
    for query, names in (
        ("is_active=false", ["off"]),
        (f"environment={company.dev.id}", ["dev"]),
        ("name=reading", ["reading"]),
    ):
        found = alice.get(f"{home}?{query}").json()["results"]
        assert [row["name"] for row in found] == names
    assert alice.get(f"{home}?environment=x").status_code == 400


def test_a_long_list_costs_as_many_queries_as_a_short_one(
    made, alice, home, company, django_assert_max_num_queries
):
    """Otherwise: the page of a large organization takes a minute."""
    with django_assert_max_num_queries(50) as one:
        alice.get(home)
    once = len(one)
    for number in range(49):
        company.allow(name=f"policy {number}")
    with django_assert_max_num_queries(once):
        assert len(alice.get(home).json()["results"]) == 50
    assert Policy.objects.count() == 50
