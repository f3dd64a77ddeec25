"""Two tenants with one row of everything."""

import pytest

from agentxsuite.control.tenancy.models import Revision
from tests.unit.control.tenancy import rows


@pytest.fixture
def tenant(db):
    return rows.tenant("acme")


@pytest.fixture
def stranger(db):
    return rows.tenant("globex")


@pytest.fixture
def revision():
    """The value of an environment's revision now."""

    def revision(environment):
        return Revision.objects.get(environment=environment).value

    return revision
