"""Two organizations that must never meet, and the person who acts for one of them."""

from pathlib import Path

import pytest
from django.conf import settings

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.secretstore.keys import MasterKeys
from agentxsuite.control.tenancy.models import (
    Environment,
    Organization,
    OrganizationMembership,
    User,
)


@pytest.fixture
def acme(db):
    return Organization.objects.create(name="Acme")


@pytest.fixture
def prod(acme):
    return Environment.objects.create(organization=acme, name="prod", type="prod")


@pytest.fixture
def dev(acme):
    return Environment.objects.create(organization=acme, name="dev")


@pytest.fixture
def globex(db):
    return Organization.objects.create(name="Globex")


@pytest.fixture
def globex_prod(globex):
    return Environment.objects.create(organization=globex, name="prod", type="prod")


@pytest.fixture
def alice(acme):
    """The administrator of Acme."""
    user = User.objects.create_user("alice@acme.example")
    OrganizationMembership.objects.create(organization=acme, user=user, role="admin")
    return user


@pytest.fixture
def actor(alice):
    return Actor.person(alice, "192.0.2.7", "pytest")


@pytest.fixture
def master_keys():
    """The operator's key-encryption keys; on PostgreSQL nobody makes them by themselves."""
    path = Path(settings.SECRET_KEYS)
    return MasterKeys.load(path) if path.exists() else MasterKeys.create(path)
