"""A program: connects large servers in an organization, and logs its founder in.

``python -m tests.faults.connecting <environment> <url> ...`` prints what it made, as JSON.
"""

import json
import sys

import django

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from knox.models import AuthToken

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog.services import create_connection
from agentxsuite.control.tenancy.models import Environment, User


def main(environment_id: str, *urls: str) -> None:
    """Make one connection for each address."""
    environment = Environment.objects.get(id=environment_id)
    founder = User.objects.get(email="bench@bench.example")
    actor = Actor.person(founder, "127.0.0.1", "faults")
    connections = [
        create_connection(actor, environment, url.rpartition("/")[2], url) for url in urls
    ]
    made = {
        "login": AuthToken.objects.create(founder)[1],
        "connections": [str(connection.id) for connection in connections],
    }
    sys.stdout.write(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
