"""What went wrong inside is told to whoever runs the server, and to nobody else."""

import os
import subprocess
import sys

RAISING = """
import django
from django.core.handlers.exception import response_for_exception
from django.test import RequestFactory
django.setup()
try:
    raise ZeroDivisionError("of a test")
except ZeroDivisionError as error:
    print(response_for_exception(RequestFactory().get("/api/v1/orgs/"), error).content.decode())
"""


def test_a_defect_is_told_on_stderr_and_not_to_the_caller(bare):
    """Otherwise: people are answered 500, and nobody ever learns why."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "agentxsuite.project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", RAISING], env=environment, capture_output=True, text=True, check=True
    )
    assert "ZeroDivisionError: of a test" in done.stderr
    assert "Traceback" in done.stderr
    assert "of a test" not in done.stdout
    assert "internal_error" in done.stdout
