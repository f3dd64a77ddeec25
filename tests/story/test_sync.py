"""An operator syncs a connection over REST, and sees what its server changed."""

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.audit.models import AuditEvent
from tests.servers.mcp_http import told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@sync_to_async
def login(user):
    return {"authorization": f"Bearer {AuthToken.objects.create(user)[1]}"}


async def test_a_changed_tool_is_found_by_the_operator(client, world):
    """A changed tool would go on being called until somebody restarts the server."""
    bob = world.company.people["bob"]
    path, headers = f"/api/v1/connections/{world.connection.id}/sync/", await login(bob)
    before = await client.post(path, headers=headers)
    assert before.status_code == 200
    assert "tests/echo" in before.json()["unchanged"]

    await told(world.upstream, "/describe?text=Mails+it.")
    after = (await client.post(path, headers=headers)).json()
    assert (after["changed"], after["quarantined"]) == (["tests/echo"], ["tests/echo"])
    event = await AuditEvent.objects.aget(event_type="tool_quarantined")
    assert (event.subject, event.target) == (f"user:{bob.id}", "tool:tests/echo")
