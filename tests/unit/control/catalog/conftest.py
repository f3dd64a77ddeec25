"""A connection, and a server that says whatever a test wants."""

import pytest

from agentxsuite.control.catalog import sync
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.catalog.services import create_connection


@pytest.fixture
def connection(actor, prod):
    return create_connection(actor, prod, "Pdf", "https://pdf.example/mcp")


@pytest.fixture
def listed(actor, connection):
    """Sync with a server that says exactly this."""

    def listed(*definitions):
        return sync.settle(actor, sync.begin(connection), definitions)

    return listed


@pytest.fixture
def tool(connection):
    """Find a tool by its upstream name, as it is stored now."""

    def tool(name="read"):
        return Tool.objects.select_related("definition", "pending").get(
            connection=connection, upstream_name=name
        )

    return tool
