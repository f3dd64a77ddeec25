"""The REST API, asked by everybody who might (TRUST, threat 1)."""

import pytest

from tests.sweeps.cells import cells
from tests.sweeps.checks import play
from tests.sweeps.rows import rows

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize("row", [row for row in rows() if not row.live], ids=str)
def test_everybody_gets_their_own_and_nothing_else(stage, row):
    """Otherwise: somebody sees or changes what is another company's, or above their role."""
    for cell in cells(row):
        play(stage, row, cell)
