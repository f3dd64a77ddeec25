"""An organization with everything in it that the demo needs, made through the services."""

from collections.abc import Mapping
from typing import Any

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.agents.services import create_agent, create_service_account
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.policies.services import create_policy
from agentxsuite.control.secretstore.services import store
from agentxsuite.control.tenancy.models import Environment
from agentxsuite.control.tenancy.services import (
    create_environment,
    create_organization,
    create_user,
)
from demo.policies import guarding, helping


def found(told: Mapping[str, str]) -> dict[str, Any]:
    """Make everything; what the story must know of it."""
    owner = create_user(Actor("anonymous"), told["email"], told["password"], first_name="Ada")
    ada = Actor.person(owner)
    organization = create_organization(ada, "Tea shop")
    environment = create_environment(ada, organization, "production", "prod")
    connections = connect(ada, environment, told["payments"], told["payments_key"])
    agent = employ(ada, environment)
    create_policy(ada, organization, helping(str(agent.id)))
    create_policy(ada, organization, guarding(str(organization.id)))
    return {
        "organization": str(organization.id),
        "environment": str(environment.id),
        "agent": str(agent.id),
        "connections": connections,
    }


def connect(actor: Actor, environment: Environment, payments: str, key: str) -> dict[str, str]:
    """Connect the three servers; their ids by slug. Payments gets a key that nobody sees again."""
    secret = store(actor, environment.organization, environment, key, "payments key")
    made = [
        create_connection(actor, environment, "git", "stdio://git?repository=shop"),
        create_connection(actor, environment, "time", "stdio://time"),
        create_connection(
            actor, environment, "payments", payments, auth_method="bearer", secret_ref=secret.ref
        ),
    ]
    return {connection.slug: str(connection.id) for connection in made}


def employ(actor: Actor, environment: Environment) -> Agent:
    """Make the agent, with a service account to log in by."""
    account = create_service_account(
        actor, environment.organization, "shop-assistant", environment=environment
    )
    return create_agent(actor, environment, "Shop assistant", service_account=account)
