"""Servers that are slow to answer, and everybody else on the management plane."""

import asyncio
from copy import copy
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from knox.models import AuthToken

from agentxsuite.control.catalog.models import Connection
from agentxsuite.project.places import MOST
from tests.story.held import holding

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery staple"
SLOW = MOST + 5


@pytest.fixture
def alice(world):
    """She has a password, and connected many servers; her login."""
    owner = world.company.owner
    owner.set_password(PASSWORD)
    owner.save()
    made = [copy(world.connection) for _ in range(SLOW - 1)]
    for number, each in enumerate(made):
        each.pk, each.name, each.slug = uuid4(), f"slow {number}", f"slow-{number}"
    Connection.objects.bulk_create(made)
    return {"authorization": f"Bearer {AuthToken.objects.create(owner)[1]}"}


async def test_slow_syncs_stop_nobody_from_logging_in(world, alice, client):
    """Otherwise: one company's slow servers lock everybody out for half a minute."""
    async with holding() as held, asyncio.TaskGroup() as group:
        held.result = {"tools": []}
        held.free.clear()
        connections = await sync_to_async(list)(Connection.objects.all())
        paths = [f"/api/v1/connections/{each.id}/sync/" for each in connections]
        syncs = [group.create_task(client.post(path, headers=alice)) for path in paths]
        for _ in syncs:
            await held.arrived()
        asked = {"email": world.company.owner.email, "password": PASSWORD}
        assert (await client.post("/api/v1/auth/login/", json=asked)).status_code == 200
        held.free.set()
        assert [(await each).status_code for each in syncs] == [200] * SLOW
