"""Rules and bindings are changed one by one, each time as one new version of their policy."""

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.compile import policies_of
from tests import cast
from tests.cast import client

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]

RULES, BINDINGS = "/api/v1/policies/rules/", "/api/v1/policies/bindings/"
RULE = {"action": "tool.invoke", "target": "tool:pdf/*", "effect": "allow", "name": "read"}


@pytest.fixture
def alice(company):
    return client(company.owner)


@pytest.fixture
def policy(company):
    return company.allow("tool:web/*")


@pytest.fixture
def rule(policy):
    return {**RULE, "policy": str(policy.id)}


@pytest.fixture
def binding(policy):
    return {"policy": str(policy.id), "scope_type": "role", "scope_id": "viewer"}


def test_a_rule_lives_from_its_making_to_its_end(alice, rule, policy, company):
    """Otherwise: whoever knows one rule's id can neither read nor mend it."""
    answer = alice.post(RULES, {**rule, "effect": "DENY"}, format="json", HTTP_IF_MATCH='"1"')
    assert (answer.status_code, answer["ETag"]) == (201, '"2"')
    made = answer.json()
    assert (made["effect"], made["position"], made["policy_version"]) == ("deny", 1, 2)
    one = f"{RULES}{made['id']}/"
    assert alice.get(one).json() == made
    patched = alice.patch(one, {"message": "No.", "position": 0}, format="json").json()
    assert (patched["message"], patched["position"], patched["id"]) == ("No.", 0, made["id"])
    assert patched["created_at"] == made["created_at"]
    put = alice.put(one, {**rule, "effect": "deny"}, format="json").json()
    assert (put["message"], put["position"], put["policy_version"]) == ("", 0, 4)
    (known,) = policies_of(company.prod)
    assert [each.effect for each in known.rules] == ["deny", "allow"]
    assert alice.delete(one, HTTP_IF_MATCH='"3"').status_code == 412
    assert alice.delete(one, HTTP_IF_MATCH='"4"').status_code == 204
    assert alice.get(one).status_code == 404
    events = AuditEvent.objects.filter(target=f"policy:{policy.id}").order_by("id")
    assert [event.event_data["version"] for event in events] == [1, 2, 3, 4, 5]
    assert events[1].event_data["change"]["rules"]["added"][0]["effect"] == "deny"
    assert events[4].event_data["change"]["rules"]["removed"][0]["id"] == made["id"]


def test_a_binding_lives_from_its_making_to_its_end(alice, binding, policy, company):
    """Otherwise: to give a policy to one more agent, all of it has to be sent again."""
    answer = alice.post(BINDINGS, binding, format="json")
    assert (answer.status_code, answer["ETag"]) == (201, '"2"'), answer.content
    made = answer.json()
    one = f"{BINDINGS}{made['id']}/"
    assert alice.get(one).json() == made
    patched = alice.patch(one, {"scope_id": "operator", "priority": 7}, format="json").json()
    assert (patched["id"], patched["scope_id"], patched["priority"]) == (made["id"], "operator", 7)
    put = alice.put(one, binding, format="json").json()
    assert (put["scope_id"], put["priority"], put["policy_version"]) == ("viewer", 0, 4)
    assert alice.get(f"{BINDINGS}?scope_type=org").json()["results"][0]["id"] != made["id"]
    assert alice.delete(one).status_code == 204
    assert alice.delete(one).status_code == 404
    (known,) = policies_of(company.prod)
    assert [each.scope_type for each in known.bindings] == ["org"]
    events = AuditEvent.objects.filter(target=f"policy:{policy.id}").order_by("id")
    assert [event.event_data["version"] for event in events] == [1, 2, 3, 4, 5]
    assert len(events[4].event_data["change"]["bindings"]["removed"]) == 1


def test_a_write_that_says_nothing_new_is_no_version(alice, rule, binding, policy):
    """Otherwise: the history fills with versions in which nothing changed."""
    one = alice.post(RULES, rule, format="json").json()
    two = alice.post(BINDINGS, binding, format="json").json()
    for path, part in ((RULES, one), (BINDINGS, two)):
        shown = alice.get(f"{path}{part['id']}/").json()
        again = alice.put(f"{path}{part['id']}/", shown, format="json")
        assert again.json() == shown
    assert shown["policy_version"] == 3


def test_bindings_keep_their_ids_when_others_change(alice, binding, policy, company):
    """Otherwise: a link to a binding is dead after any other edit of the policy."""
    made = alice.post(BINDINGS, binding, format="json").json()
    at = f"/api/v1/orgs/{company.organization.id}/policies/{policy.id}/"
    bindings = alice.get(at).json()["bindings"]
    alice.patch(at, {"name": "renamed", "bindings": bindings[::-1]}, format="json")
    assert alice.get(f"{BINDINGS}{made['id']}/").json()["created_at"] == made["created_at"]


@pytest.mark.parametrize(
    ("path", "change", "at"),
    [
        (RULES, {"policy": None}, "/policy"),
        (RULES, {"target": "pdf"}, "/target"),
        (RULES, {"effect": "perhaps"}, "/effect"),
        (RULES, {"terms": {"timeout": 0}}, "/terms/timeout"),
        (RULES, {"position": -1}, "/position"),
        (RULES, {"traget": "x"}, "/traget"),
        (RULES, {"conditions": {"op": "eq"}}, "/conditions"),
        (RULES, {"action": "*", "target": "*"}, "/acknowledge_broad"),
        (BINDINGS, {"scope_type": "moon"}, "/scope_type"),
        (BINDINGS, {"scope_id": "king"}, "/scope_id"),
        (BINDINGS, {"scope_type": "agent", "scope_id": "x"}, "/scope_id"),
        (BINDINGS, {"priority": 2**31}, "/priority"),
        (BINDINGS, {"priority": "high"}, "/priority"),
    ],
)
def test_bad_input_is_told_by_its_field(alice, rule, binding, path, change, at):
    """Otherwise: somebody guesses for an hour what was wrong."""
    whole = rule if path == RULES else binding
    made = alice.post(path, whole, format="json").json()
    other = whole if path == RULES else {**whole, "scope_id": "operator"}
    answer = alice.post(path, {**other, **change}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, at)
    answer = alice.patch(f"{path}{made['id']}/", change, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, at)


def test_one_scope_is_bound_once(alice, binding, company):
    """Otherwise: a policy is bound twice and nobody knows which priority counts."""
    assert alice.post(BINDINGS, binding, format="json").status_code == 201
    again = alice.post(BINDINGS, {**binding, "priority": 9}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_part_stays_with_its_policy(alice, rule, binding, company):
    """Otherwise: a rule moves from one policy to another, and two versions lie about it."""
    other = str(company.allow("tool:x/*", "other").id)
    for path, whole in ((RULES, rule), (BINDINGS, binding)):
        made = alice.post(path, whole, format="json").json()
        answer = alice.patch(f"{path}{made['id']}/", {"policy": other}, format="json")
        assert answer.json()["errors"][0]["path"] == "/policy"


def test_foreign_parts_are_not_there(alice, rule, binding, company, rival):
    """Otherwise: one tenant edits another one's rules by guessing ids."""
    theirs = rival.allow()
    missing = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    for path, whole, part in (
        (RULES, rule, theirs.rules.get()),
        (BINDINGS, binding, theirs.bindings.get()),
    ):
        at = f"{path}{part.id}/"
        assert alice.get(at).status_code == 404
        assert alice.get(at).content == alice.get(f"{path}{missing}/").content
        assert alice.put(at, whole, format="json").status_code == 404
        assert alice.delete(at).status_code == 404
        foreign = alice.post(path, {**whole, "policy": str(theirs.id)}, format="json")
        unknown = alice.post(path, {**whole, "policy": missing}, format="json")
        assert (foreign.status_code, foreign.content) == (400, unknown.content)
        assert alice.get(f"{path}?policy={theirs.id}").json()["count"] == 0
        assert client(rival.owner).get(path).json()["count"] == 1
        assert client().get(path).status_code == 401


@pytest.mark.parametrize(("name", "seen"), [("vera", (200, 1)), ("ada", (403, 0))])
def test_only_an_admin_writes(policy, rule, binding, company, name, seen):
    """Otherwise: whoever may only look gives themselves everything."""
    browser = client(company.people[name])
    for path, whole, part in (
        (RULES, rule, policy.rules.get()),
        (BINDINGS, binding, policy.bindings.get()),
    ):
        at = f"{path}{part.id}/"
        assert (browser.get(at).status_code, browser.get(path).json()["count"]) == seen
        assert browser.post(path, whole, format="json").status_code == 403
        assert browser.patch(at, {}, format="json").status_code == 403
        assert browser.delete(at).status_code == 403


def test_parts_go_with_their_policy(alice, policy, company):
    """Otherwise: rules that decide nothing any more are shown as if they did."""
    rule = policy.rules.get()
    alice.delete(f"/api/v1/orgs/{company.organization.id}/policies/{policy.id}/")
    assert alice.get(f"{RULES}{rule.id}/").status_code == 404
    assert alice.get(RULES).json()["count"] == alice.get(BINDINGS).json()["count"] == 0


def test_lists_are_narrowed(alice, rule, company):
    """Otherwise: in ten thousand rules nothing can be found."""
    made = alice.post(RULES, {**rule, "effect": "deny"}, format="json").json()
    company.allow("tool:x/*", "other")
    for query, count in (
        ("effect=DENY", 1),
        (f"policy={made['policy']}", 2),
        ("target=tool:x/*", 1),
        (f"organization={company.organization.id}", 3),
        (f"environment={company.prod.id}", 0),
    ):
        assert alice.get(f"{RULES}?{query}").json()["count"] == count
    assert alice.get(f"{RULES}?policy=x").status_code == 400
    assert alice.get(f"{BINDINGS}?scope_id={company.organization.id}").json()["count"] == 2


@pytest.mark.parametrize("path", [RULES, BINDINGS])
def test_a_long_list_costs_as_many_queries_as_a_short_one(
    path, alice, policy, company, django_assert_max_num_queries
):
    """Otherwise: the page of a large organization takes a minute."""
    with django_assert_max_num_queries(50) as one:
        alice.get(path)
    once = len(one)
    for number in range(49):
        company.allow(name=f"policy {number}")
    with django_assert_max_num_queries(once):
        assert len(alice.get(path).json()["results"]) == 50
