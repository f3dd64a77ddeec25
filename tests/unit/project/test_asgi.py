"""What the server does beside answering, and how much it takes from the database for answering."""

import pytest
from django.db import InterfaceError, OperationalError

from agentxsuite.project.asgi import look_at_partitions


@pytest.mark.parametrize("error", [InterfaceError, OperationalError])
async def test_a_look_at_the_months_that_fails_is_repeated_soon(error, caplog):
    """One lost connection ends the making of months, and months later every call is refused."""

    def add():
        raise error("the connection is closed")

    assert await look_at_partitions(add) <= 600
    assert "no partition could be added" in caplog.text


async def test_a_look_that_found_everything_is_repeated_within_the_day():
    """A server that runs for a year comes to the end of its months."""
    assert 3600 <= await look_at_partitions(lambda: ["runs_run_y2030m01"]) <= 86400
