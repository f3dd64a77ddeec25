"""A POST that comes again under its key is not done again; who asks is told what came of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agentxsuite.control.agents.models import Agent, IssuedToken
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.policies.models import PolicyRule
from agentxsuite.control.rest import kept_answers
from agentxsuite.control.tenancy.models import Environment, KeptAnswer, Organization, User
from tests import cast
from tests.cast import client
from tests.openapi.contract import contract

company, rival, token_keys, master_keys = (  # fixtures, asked for by name
    cast.company,
    cast.rival,
    cast.token_keys,
    cast.master_keys,
)
pytestmark = [pytest.mark.database, pytest.mark.django_db]
STAGE = {"name": "stage", "type": "stage"}
PASSWORD = "correct horse battery staple"


@pytest.fixture
def home(company):
    return f"/api/v1/orgs/{company.organization.id}/"


@pytest.fixture
def alice(company):
    return client(company.owner)


def send(browser, path, body=None, key="k-1", **headers):
    return browser.post(path, body, format="json", headers={"idempotency-key": key, **headers})


def is_replay(answer):
    return answer.headers.get("Idempotency-Replayed") == "true"


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_a_repeated_request_makes_one_row(alice, home):
    """Otherwise: whoever asks again after a broken connection has everything twice."""
    first = send(alice, f"{home}environments/", STAGE)
    assert first.status_code == 201
    assert not is_replay(first)
    again = send(alice, f"{home}environments/", dict(reversed(STAGE.items())))
    assert (again.status_code, again.json(), is_replay(again)) == (201, first.json(), True)
    assert Environment.objects.filter(name="stage").count() == 1
    assert AuditEvent.objects.filter(target=f"environment:{first.json()['id']}").count() == 1


def test_another_body_under_a_key_is_refused(alice, home):
    """Otherwise: somebody believes that the second thing was made, too."""
    send(alice, f"{home}environments/", STAGE)
    other = send(alice, f"{home}environments/", {"name": "other"})
    assert code(other) == (422, "idempotency_key_reused")
    assert not Environment.objects.filter(name="other").exists()


def test_a_refusal_is_not_kept(alice, home, company):
    """Otherwise: a mistake that is mended is refused for a day."""
    assert send(alice, f"{home}environments/", {"name": ""}).status_code == 400
    assert send(alice, f"{home}environments/", {"name": "prod"}).status_code == 409
    assert not KeptAnswer.objects.exists()
    assert send(alice, f"{home}environments/", STAGE).status_code == 201
    vera = client(company.people["vera"])
    assert send(vera, f"{home}environments/", {"name": "v"}).status_code == 403
    assert KeptAnswer.objects.count() == 1


def test_a_key_belongs_to_its_caller_and_address(alice, home, company, rival):
    """Otherwise: two people who count from one get each other's answers."""
    first = send(alice, f"{home}environments/", STAGE)
    assert send(alice, f"{home}service-accounts/", {"name": "stage"}).status_code == 201
    charlie = client(rival.owner)
    theirs = f"/api/v1/orgs/{rival.organization.id}/environments/"
    assert not is_replay(send(charlie, theirs, STAGE))
    assert send(charlie, f"{home}environments/", STAGE).status_code == 404
    admin = client(company.hire("adam", "admin"))
    assert code(send(admin, f"{home}environments/", STAGE)) == (409, "conflict")
    assert send(alice, f"{home}environments/", STAGE).json() == first.json()


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256])
def test_a_key_that_cannot_be_kept_is_refused(alice, home, key):
    """Otherwise: two keys are taken for one, or a request ends in an error of the database."""
    answer = send(alice, f"{home}environments/", STAGE, key)
    assert code(answer) == (400, "invalid_idempotency_key")


def test_a_credential_is_never_kept(alice, home, company, token_keys):
    """Otherwise: a token lies readable in the database for a day."""
    agent = company.agent()
    tokens = f"{home}agents/{agent.id}/tokens/"
    issued = send(alice, tokens, {}).json()
    again = send(alice, tokens, {})
    assert code(again) == (409, "already_created")
    assert again.json()["id"] == issued["id"]
    assert IssuedToken.objects.filter(agent=agent).count() == 1
    invitation = {"email": "new@example.org", "role": "viewer"}
    invited = send(alice, f"{home}invitations/", invitation).json()
    refused = send(alice, f"{home}invitations/", invitation).json()
    assert (refused["code"], refused["id"]) == ("already_created", invited["id"])
    wish = {"environment": str(company.prod.id), "name": "Core", "targets": ["tool:crm/*"]}
    made = send(alice, f"{home}agents/create-axcore/", wish)
    assert made.status_code == 201, made.content
    again = send(alice, f"{home}agents/create-axcore/", wish)
    assert (code(again), again.json()["id"]) == (
        (409, "already_created"),
        made.json()["agent"]["id"],
    )
    assert Agent.objects.filter(name="Core").count() == 1
    clients = f"{home}agents/{agent.id}/clients/"
    program = send(alice, clients, {"name": "nightly"})
    assert program.status_code == 201, program.content
    refused = send(alice, clients, {"name": "nightly"}).json()
    assert (refused["code"], refused["id"]) == ("already_created", program.json()["id"])
    shown = program.json()["client_secret"]
    rows = KeptAnswer.objects.values_list("body", "digest", "made")
    assert {body for body, _, _ in rows} == {None}
    for secret in (issued["token"], invited["code"], made.json()["token"]["token"], shown):
        assert not any(secret in str(row) for row in rows)


def test_a_stored_secret_is_answered_again_by_its_ref(alice, home, master_keys):
    """Otherwise: a retry stores a secret twice, or its value lies beside the key."""
    body = {"purpose": "crm", "value": "hunter2-hunter2"}
    first = send(alice, f"{home}connections/store-secret/", body)
    assert first.status_code == 201, first.content
    assert send(alice, f"{home}connections/store-secret/", body).json() == first.json()
    kept = KeptAnswer.objects.get()
    assert "hunter2" not in f"{kept.body}{kept.digest}{kept.made}"


def test_people_register_and_log_in_once_under_a_key(db, settings):
    """Otherwise: somebody cannot tell whether their account was made."""
    settings.REGISTRATION = "open"
    body = {"email": "Eve@example.org", "password": PASSWORD}
    made = send(client(), "/api/v1/auth/register/", body, REMOTE_ADDR="198.51.100.77")
    assert made.status_code == 201, made.content
    again = send(client(), "/api/v1/auth/register/", body)
    assert code(again) == (409, "already_created")
    assert again.json()["id"] == str(User.objects.get().id)
    login = send(client(), "/api/v1/auth/login/", body)
    assert login.status_code == 200
    assert code(send(client(), "/api/v1/auth/login/", body)) == (409, "already_created")
    other = {"email": "mallory@example.org", "password": PASSWORD}
    assert code(send(client(), "/api/v1/auth/login/", other)) == (401, "wrong_credentials")
    assert send(client(), "/api/v1/auth/login/", {"email": 7}).status_code == 400
    assert send(client(), "/api/v1/auth/login/", ["eve"]).status_code == 400
    wrong = {"email": "eve@example.org", "password": "x" * 20}
    assert code(send(client(), "/api/v1/auth/login/", wrong)) == (422, "idempotency_key_reused")


def test_asking_under_a_key_does_not_help_to_guess_a_password(db):
    """Otherwise: a key that somebody saw in a log is a way around the throttle."""
    body = {"email": "victim@example.org", "password": "a guess"}
    answers = [send(client(), "/api/v1/auth/login/", body).status_code for _ in range(12)]
    assert 429 in answers


def test_routes_without_an_organization_know_their_keys(alice, company, home):
    """Otherwise: a retry founds a second organization, or adds a rule twice."""
    body = {"name": "Initech"}
    first = send(alice, "/api/v1/auth/me/orgs/", body)
    again = send(alice, "/api/v1/auth/me/orgs/", body)
    assert (again.json(), is_replay(again)) == (first.json(), True)
    second = send(alice, "/api/v1/orgs/", {"name": "Umbrella"})
    assert send(alice, "/api/v1/orgs/", {"name": "Umbrella"}).json() == second.json()
    assert Organization.objects.filter(name__in=["Initech", "Umbrella"]).count() == 2
    rule = {"action": "tool.invoke", "target": "tool:crm/*", "effect": "deny"}
    policy = str(company.allow().id)
    added = send(alice, "/api/v1/policies/rules/", {"policy": policy, **rule})
    assert added.status_code == 201, added.content
    replay = send(alice, "/api/v1/policies/rules/", {"policy": policy, **rule})
    assert (replay.json(), replay.headers["ETag"]) == (added.json(), added.headers["ETag"])
    assert PolicyRule.objects.filter(policy=policy).count() == 2
    looked = send(
        alice, "/api/v1/policies/rules/", {"policy": policy, **rule}, **{"if-match": '"9"'}
    )
    assert code(looked) == (422, "idempotency_key_reused")


def test_what_changes_nothing_heeds_no_key(alice, company, home):
    """Otherwise: a question is answered with what was true yesterday."""
    agent = company.agent()
    asked = {"agent": str(agent.id), "action": "tool.invoke", "target": "tool:a/b"}
    for _ in range(2):
        assert not is_replay(send(alice, f"{home}policies/evaluate/", asked))
    assert send(alice, "/api/v1/auth/logout/").status_code == 204
    assert not KeptAnswer.objects.exists()


def test_who_has_lost_a_right_is_not_told_again(home, company):
    """Otherwise: somebody who was let go still reads answers of the organization."""
    admin = company.hire("adam", "admin")
    browser = client(admin)
    made = send(browser, f"{home}environments/", STAGE).json()
    members = client(company.owner)
    members.patch(f"{home}members/{admin.id}/", {"role": "viewer"}, format="json")
    less = send(browser, f"{home}environments/", STAGE)
    assert (code(less), less.json()["id"]) == ((409, "already_created"), made["id"])
    members.patch(f"{home}members/{admin.id}/", {"role": "owner"}, format="json")
    assert is_replay(send(browser, f"{home}environments/", STAGE))
    members.delete(f"{home}members/{admin.id}/")
    assert code(send(browser, f"{home}environments/", STAGE)) == (404, "not_found")
    assert code(send(client(), f"{home}environments/", STAGE)) == (401, "unauthenticated")


def test_an_answer_that_is_too_long_is_kept_by_its_id(alice, home, monkeypatch):
    """Otherwise: answers of any length fill the disk."""
    monkeypatch.setattr(kept_answers, "LONGEST", 10)
    made = send(alice, f"{home}environments/", STAGE).json()
    again = send(alice, f"{home}environments/", STAGE).json()
    assert (again["code"], again["id"]) == ("already_created", made["id"])


@pytest.mark.parametrize(("hours", "replayed"), [(23, True), (25, False)])
def test_a_key_is_kept_for_a_day(alice, home, hours, replayed):
    """Otherwise: a key is forgotten too early, or never again free."""
    send(alice, f"{home}environments/", STAGE)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=hours))
    again = send(alice, f"{home}environments/", STAGE)
    assert code(again) == ((201, None) if replayed else (409, "conflict"))


def test_a_key_whose_request_died_is_free_after_a_while(alice, home):
    """Otherwise: the crash of a worker blocks a request for a day."""
    send(alice, f"{home}environments/", STAGE)
    KeptAnswer.objects.update(status=None, body=None)
    early = send(alice, f"{home}environments/", STAGE)
    assert (code(early), early.headers["Retry-After"]) == ((409, "idempotency_in_flight"), "1")
    KeptAnswer.objects.update(created_at=timezone.now() - kept_answers.ABANDONED * 2)
    Environment.objects.filter(name="stage").update(name="gone")
    assert send(alice, f"{home}environments/", STAGE).status_code == 201


def test_every_post_that_shows_a_credential_says_so(db):
    """Otherwise: a new route keeps a credential in the database."""
    for _, path, item in contract().routes:
        operation = item.get("post", {})
        keyed = any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
        for status, answer in operation.get("responses", {}).items():
            if keyed and status < "300" and "content" in answer:
                names = set(fields(answer["content"]["application/json"]["schema"], contract()))
                assert not names & CREDENTIALS or path in SHOWING, path


CREDENTIALS = {"token", "client_secret"}
SHOWING = {
    "/api/v1/auth/login/",
    "/api/v1/auth/register/",
    "/api/v1/orgs/{org}/agents/create-axcore/",
    "/api/v1/orgs/{org}/agents/{agent}/tokens/",
    "/api/v1/orgs/{org}/agents/{agent}/clients/",
}


def fields(schema, contract):
    """Every name of a field that an answer can have."""
    if isinstance(schema, dict):
        if reference := schema.get("$ref"):
            yield from fields(contract.components["schemas"][reference.rsplit("/")[-1]], contract)
        for name, inner in schema.get("properties", {}).items():
            yield name
            yield from fields(inner, contract)
        for word in ("items", "allOf", "oneOf", "anyOf"):
            inner = schema.get(word, [])
            for each in inner if isinstance(inner, list) else [inner]:
                yield from fields(each, contract)
