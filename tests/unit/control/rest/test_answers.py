"""Whatever goes wrong is answered as a problem document, and tells nothing of the inside."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, Throttled

from agentxsuite import wire
from agentxsuite.control.problems import Conflict, NotFound
from agentxsuite.control.rest import answers


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret table"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "forbidden"),
        (NotAuthenticated(), 401, "unauthenticated"),
        (Throttled(), 429, "rate_limited"),
        (Conflict("taken"), 409, "conflict"),
    ],
)
def test_every_exception_has_a_stable_code(db, error, status, code):
    """Otherwise: a program cannot tell one refusal from another."""
    answer = answers.problem_handler(error, {})
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert "secret" not in str(answer.data)


def test_a_defect_is_not_dressed_up(db):
    """Otherwise: a bug looks like the caller's fault, and nobody mends it."""
    assert answers.problem_handler(ZeroDivisionError(), {}) is None


def test_faults_point_into_the_body():
    """Otherwise: in a long request nobody finds the field that was wrong."""
    detail = {"rules": [{}, {"a/b": ["bad"]}], "non_field_errors": ["odd"]}
    assert list(answers.faults(detail)) == [
        {"path": "/rules/1/a~1b", "message": "bad"},
        {"path": "", "message": "odd"},
    ]


def test_django_speaks_as_we_do():
    """Otherwise: some errors are pages of HTML that no program reads."""
    missing = answers.missing(None, Http404())
    assert missing.content == wire.dumps(NotFound().document())
    assert answers.unreadable(None, ValueError()).status_code == 400
    assert answers.broken(None).status_code == 500
