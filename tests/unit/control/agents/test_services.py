"""Agents and their logins are checked when they are made."""

import pytest
from django.conf import settings

from agentxsuite.control.agents.services import create_agent, create_service_account, issue_token
from agentxsuite.control.problems import Conflict, Invalid
from tests import cast

company, rival, token_keys = cast.company, cast.rival, cast.token_keys  # fixtures
pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_our_own_issuer_is_never_taken_from_a_body(company):
    """Otherwise: a tenant makes a login that passes for one of ours."""
    for issuer in (settings.PUBLIC_URL, settings.PUBLIC_URL + "/"):
        with pytest.raises(Invalid):
            create_service_account(
                company.actor, company.organization, "x", issuer=issuer, subject="agent:1"
            )


def test_issuer_and_subject_come_together(company):
    """Otherwise: a login is found by half a name."""
    with pytest.raises(Invalid):
        create_service_account(company.actor, company.organization, "x", issuer="https://i.example")


@pytest.mark.parametrize(
    "facts", [{}, {"inbound_auth_method": "MTLS"}, {"mode": "RUNNER"}, {"mode": "odd"}]
)
def test_an_agent_without_what_it_needs_is_refused(company, facts):
    """Otherwise: an agent exists that can never log in or run."""
    with pytest.raises(Invalid):
        create_agent(company.actor, company.prod, "x", **facts)


def test_another_tenants_account_is_refused(company, rival):
    """Otherwise: a tenant's agent logs in with another tenant's account."""
    foreign = create_service_account(rival.actor, rival.organization, "theirs")
    with pytest.raises(Invalid):
        create_agent(company.actor, company.prod, "x", service_account=foreign)


def test_slugs_are_taken_once_in_any_case(company):
    """Otherwise: two agents answer to one name."""
    company.agent("Clerk")
    with pytest.raises(Conflict):
        create_agent(company.actor, company.prod, "y", slug="CLERK", inbound_auth_method="none")


@pytest.mark.parametrize("ttl", [0, 86_401])
def test_no_token_outlives_a_day(company, token_keys, ttl):
    """Otherwise: a forgotten token is good for years."""
    with pytest.raises(Invalid):
        issue_token(company.actor, company.agent(), ttl_seconds=ttl)


def test_a_token_has_a_purpose(company, token_keys):
    """Otherwise: a token is issued that nothing accepts, and nobody sees why."""
    with pytest.raises(Invalid):
        issue_token(company.actor, company.agent(), scopes=())
