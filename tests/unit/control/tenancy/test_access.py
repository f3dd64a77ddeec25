"""The tenant door: who passes with which role, and what does not exist for whom."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.test import APIRequestFactory

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.problems import Forbidden, NotFound
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment, Organization, Role
from tests import cast

company, rival = cast.company, cast.rival  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]

PASSES = {
    Role.OWNER: "alice",
    Role.ADMIN: "alice",
    Role.OPERATOR: "alice bob",
    Role.VIEWER: "alice bob vera",
    Role.AUDITOR: "alice bob vera ada",
}


@pytest.mark.parametrize("least", PASSES)
def test_a_role_reaches_exactly_as_far_as_the_ladder_says(company, least):
    """Otherwise: a viewer changes things, or an owner cannot."""
    passed = set()
    for name, user in company.people.items():
        try:
            access.organization(user, company.organization.id, least)
        except Forbidden:
            continue
        passed.add(name)
    assert passed == set(PASSES[least].split())


def refused(user, organization_id):
    with pytest.raises(NotFound) as caught:
        access.organization(user, organization_id)
    return caught.value.document()


def test_foreign_deleted_and_missing_are_one(company, rival):
    """Otherwise: a stranger learns which organizations exist."""
    foreign = refused(rival.owner, company.organization.id)
    assert foreign == refused(rival.owner, uuid4())
    Organization.objects.filter(id=company.organization.id).update(deleted_at=timezone.now())
    assert refused(company.owner, company.organization.id) == foreign


def test_who_was_suspended_sees_nothing(company):
    """Otherwise: a person whose membership was switched off goes on reading."""
    company.people["vera"].memberships.update(is_active=False)
    refused(company.people["vera"], company.organization.id)


def test_a_row_is_found_through_the_door_or_not_at_all(company, rival):
    """Otherwise: a route without an organization in its path is a way around the door."""
    agent = company.agent()
    vera = company.people["vera"]
    assert access.within(vera, Agent, agent.id) == agent
    with pytest.raises(Forbidden):
        access.within(vera, Agent, agent.id, Role.OPERATOR)
    with pytest.raises(NotFound):
        access.within(rival.owner, Agent, agent.id)


def test_what_stands_in_a_deleted_environment_is_gone(company):
    """Otherwise: deleting an environment leaves its agents in use; but evidence stays."""
    agent = company.agent()
    Environment.objects.filter(id=company.prod.id).update(deleted_at=timezone.now())
    with pytest.raises(NotFound):
        access.within(company.owner, Agent, agent.id)
    assert access.visible(company.owner, AuditEvent).filter(environment=company.prod).exists()


@pytest.mark.parametrize(
    ("granter", "granted", "may"),
    [
        ("owner", "owner", True),
        ("admin", "owner", False),
        ("admin", "admin", True),
        ("admin", "auditor", True),
        ("operator", "viewer", False),
        ("auditor", "auditor", False),
    ],
)
def test_nobody_grants_above_their_own_role(granter, granted, may):
    """Otherwise: an admin makes themselves owner by way of a friend."""
    assert access.may_grant(Role(granter), Role(granted)) is may


def test_nobody_is_no_caller():
    """Otherwise: a view that forgot to ask for a login answers everybody."""
    request = APIRequestFactory().get("/")
    request.user = AnonymousUser()
    with pytest.raises(NotAuthenticated):
        access.caller(request)
