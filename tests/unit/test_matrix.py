"""The matrix itself: nothing is skipped unseen, and each test runs where it belongs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
A_RUN = """
import pytest

def test_that_passes():
    pass

@pytest.mark.database(only="{elsewhere}")
def test_of_the_other_database():
    raise AssertionError
"""
SKIPS = {
    "a mark": "@pytest.mark.skip\ndef test_it(): pass",
    "a call": "def test_it(): pytest.skip('not today')",
    "a missing module": "pytest.importorskip('no_such_module')",
}


@pytest.fixture
def pytest_on(tmp_path):
    """Run a file of tests under the matrix; returns its exit status and its output."""

    def pytest_on(database, source):
        (tmp_path / "test_it.py").write_text(source)
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = database: as in the project")
        plugins = ("-p", "tests.matrix", "-p", "no:django", "-p", "no:cacheprovider")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "-W", "ignore", str(tmp_path)],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE": database, "TEST_PART": "1/1", "DATABASE_URL": ""},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    return pytest_on


@pytest.mark.parametrize("kind", SKIPS)
def test_an_unlisted_skip_is_a_failure(pytest_on, kind):
    """A promise is no longer tested, and the run is green."""
    status, output = pytest_on("sqlite", f"import pytest\n{SKIPS[kind]}\n")
    assert status in {1, 2}
    assert "an unlisted skip" in output


@pytest.mark.parametrize(
    ("database", "elsewhere"), [("sqlite", "postgres"), ("postgres", "sqlite")]
)
def test_a_test_of_one_database_runs_there_alone(pytest_on, database, elsewhere):
    """What only PostgreSQL can do is tested on SQLite, or nowhere."""
    status, output = pytest_on(database, A_RUN.format(elsewhere=elsewhere))
    assert status == 0, output
    assert f"database: {database}" in output
    assert "1 passed, 1 deselected" in output


def test_a_database_that_does_not_exist_is_refused(pytest_on):
    """A slip of the pen tests one database twice."""
    status, output = pytest_on("oracle", A_RUN)
    assert status == 4
    assert "TEST_DATABASE must be sqlite or postgres: oracle" in output
