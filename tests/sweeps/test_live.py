"""What has to wait for an MCP server, asked on a real server by everybody who might."""

import pytest

from tests.sweeps.cells import cells
from tests.sweeps.checks import play
from tests.sweeps.rows import rows

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_what_waits_for_a_server_is_everybodys_own_too(live):
    """Otherwise: somebody reaches another company's servers, or calls its tools."""
    for row in (row for row in rows() if row.live):
        for cell in cells(row):
            play(live, row, cell)
