"""Making people, organizations and environments: checked, and always on record."""

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.problems import Conflict, Forbidden, Invalid, NotFound
from agentxsuite.control.tenancy import services
from agentxsuite.control.tenancy.models import User
from tests import cast
from tests.cast import MADE_BY_HAND, person

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_everything_that_was_made_is_on_record(company):
    """Otherwise: nobody can say later who let whom in."""
    kinds = AuditEvent.objects.filter(organization=company.organization).values_list(
        "event_type", "subject", "decision"
    )
    alice = f"user:{company.owner.id}"
    assert set(kinds) == {
        ("organization_created", alice, "allow"),
        ("environment_created", alice, "allow"),
        ("member_added", alice, "allow"),
    }


@pytest.mark.parametrize("password", ["short", "password1234", "dora@acme.example"])
def test_a_weak_password_is_refused_with_the_reason(db, password):
    """Otherwise: accounts are opened by guessing."""
    with pytest.raises(Invalid) as caught:
        services.create_user(MADE_BY_HAND, "dora@acme.example", password)
    assert {fault["path"] for fault in caught.value.errors} == {"/password"}
    assert not User.objects.exists()


def test_an_address_belongs_to_one_account(db):
    """Otherwise: two people share one login, told apart by capital letters."""
    person("dora", "Acme")
    with pytest.raises(Conflict):
        services.create_user(MADE_BY_HAND, " DORA@acme.example ", None)


def test_a_password_is_nowhere_on_record(db):
    """Otherwise: whoever reads the audit log can log in."""
    services.create_user(MADE_BY_HAND, "dora@acme.example", "canary canary canary")
    assert "canary" not in repr(list(AuditEvent.objects.values()))


def test_names_are_taken_once(company):
    """Otherwise: two things of one name cannot be told apart."""
    with pytest.raises(Conflict) as caught:
        services.create_environment(company.actor, company.organization, "prod", "PROD")
    assert caught.value.detail == "Another environment has this name."
    with pytest.raises(Conflict):
        services.create_organization(company.actor, "Acme")


def test_a_wrong_fact_is_told_by_its_field(company):
    """Otherwise: whoever sets up an environment has to guess what was wrong."""
    with pytest.raises(Invalid) as caught:
        services.create_environment(company.actor, company.organization, "", "moon")
    assert {fault["path"] for fault in caught.value.errors} == {"/name", "/type"}


@pytest.mark.parametrize("name", ["bob", "vera", "ada", "charlie"])
def test_only_an_admin_or_owner_lets_people_in(company, rival, name):
    """Otherwise: anybody opens the door to anybody."""
    user = (company.people | rival.people)[name]
    with pytest.raises((Forbidden, NotFound)):
        services.add_member(
            Actor.person(user), company.organization, person("dora", "Acme"), "viewer"
        )


def test_roles_are_known_and_single(company):
    """Otherwise: a person holds two roles, or one that means nothing."""
    with pytest.raises(Invalid):
        services.add_member(company.actor, company.organization, person("dora", "Acme"), "king")
    with pytest.raises(Conflict):
        services.add_member(company.actor, company.organization, company.people["vera"], "admin")


def test_only_people_own(db):
    """Otherwise: an organization belongs to a program, and nobody can act for it."""
    with pytest.raises(Forbidden):
        services.create_organization(MADE_BY_HAND, "Acme")


def test_the_cast_writes_policies_as_users_do(company):
    """Otherwise: stories run on rules that no user could have written."""
    policy = company.allow("tool:pay/*")
    assert [rule.target for rule in policy.rules.all()] == ["tool:pay/*"]
    assert AuditEvent.objects.filter(event_type="policy_created").count() == 1
