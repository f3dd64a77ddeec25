import pytest

from agentxsuite.control.catalog.pace import SHARE, SPELL, Pace


def test_work_rests_in_proportion():
    """A sync of a long list would make every call wait at each of its steps."""
    now, rests = [0.0], []
    pace = Pace(lambda: now[0], rests.append)
    pace.rest()
    now[0] += SPELL / 2
    pace.rest()
    assert rests == []
    now[0] += SPELL
    pace.rest()
    assert rests == [pytest.approx(1.5 * SPELL * SHARE)]
    pace.rest()
    assert len(rests) == 1
