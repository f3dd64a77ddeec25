"""Parts of the tests: together everything, and one that fails is told."""

import sys
from pathlib import Path

import pytest

from tests import parts
from tests.matrix import Part
from tests.parts import Job, run


@pytest.mark.parametrize("of", [1, 2, 4])
def test_every_file_is_in_exactly_one_part(of):
    """Otherwise: a test is never run, and nobody notices."""
    for file in Path(__file__).parents[1].rglob("test_*.py"):
        assert sum(Part(number, of).has(file) for number in range(1, of + 1)) == 1


@pytest.mark.parametrize("named", ["0/2", "3/2"])
def test_a_part_that_there_is_not_is_refused(monkeypatch, named):
    """Otherwise: a slip in a number leaves tests out."""
    monkeypatch.setenv("TEST_PART", named)
    with pytest.raises(pytest.UsageError, match="TEST_PART"):
        Part.read()


@pytest.fixture
def playing(monkeypatch, tmp_path):
    """Play parts that are this program instead of pytest."""

    def playing(program, *jobs):
        monkeypatch.setattr(parts, "COMMAND", (sys.executable, "-c", program))
        return run([Job("sqlite", job) for job in jobs], 2, tmp_path / "coverage")

    return playing


def test_parts_are_counted(playing):
    """Otherwise: the last line of a run does not tell how many tests there were."""
    parts = playing("print('== 3 passed, 1 xfailed, 9 deselected in 1.0s ==')", "1/2", "2/2")
    assert [part.counts for part in parts] == [{"passed": 3, "xfailed": 1}] * 2
    assert all(part.passed for part in parts)


def test_a_part_that_fails_is_told_with_its_output(playing):
    """Otherwise: a run fails and does not say why."""
    program = "import os, sys; print('seen'); sys.exit(os.environ['TEST_PART'] == '2/2')"
    good, bad = playing(program, "1/2", "2/2")
    assert (good.passed, bad.passed) == (True, False)
    assert (bad.job.part, bad.output) == ("2/2", "seen\n")
