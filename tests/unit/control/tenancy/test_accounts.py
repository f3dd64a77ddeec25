"""Accounts and memberships that change at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.problems import Conflict, Forbidden
from agentxsuite.control.tenancy.accounts import reset_password
from agentxsuite.control.tenancy.invitations import redeem
from agentxsuite.control.tenancy.login import WrongCredentials, held_as_checked
from agentxsuite.control.tenancy.members import managing, remove_member
from agentxsuite.control.tenancy.models import OrganizationMembership, User
from tests import cast
from tests.cast import MADE_BY_HAND

company = cast.company  # a fixture, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_password_that_has_just_changed_opens_nothing(company):
    """Otherwise: a login that was under way when the password changed outlives the change."""
    checked = User.objects.get(id=company.owner.id)
    reset_password(MADE_BY_HAND, checked.email, "a long enough password")
    with pytest.raises(WrongCredentials):
        held_as_checked(checked)
    assert held_as_checked(User.objects.get(id=checked.id)) == checked


def test_only_people_are_members(db):
    """Otherwise: a program joins an organization, and nobody can be asked about it."""
    with pytest.raises(Forbidden):
        redeem(MADE_BY_HAND, "a code")


@pytest.mark.database(only="postgres")
@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both(company):
    """Otherwise: each sees the other one stay, and an organization is left with nobody."""
    olga = company.hire("olga", "owner")
    place = company.organization
    hers, his = (
        OrganizationMembership.objects.get(organization=place, user=user)
        for user in (olga, company.owner)
    )

    def leave():
        try:
            remove_member(Actor.person(olga), hers)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with managing(place.id), connection.cursor() as cursor:
            leaving, waiting = other.submit(leave), 0
            while not waiting and not leaving.done():
                cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
                waiting = cursor.rowcount
            remove_member(company.actor, his)
        with pytest.raises(Conflict):
            leaving.result(10)
    assert OrganizationMembership.objects.filter(organization=place, role="owner").count() == 1
