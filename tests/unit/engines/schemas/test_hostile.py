"""A tool's author, or a caller, tries to stall the gateway with a schema or a value."""

import socket
import time

import pytest

from agentxsuite.engines.schemas import Schema, SchemaRefused, inspect_schema
from tests.unit.engines.schemas import hostile

SHORT = 2.0  # seconds of this thread's own time; without protection it is minutes, or all memory


@pytest.fixture
def no_network(monkeypatch):
    """Whoever opens a socket has fetched something."""

    def _fail(*_):
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", _fail)


@pytest.mark.parametrize("name", hostile.REFUSED)
def test_a_hostile_schema_is_refused(no_network, name):
    """A synced tool reads local files, calls home or stalls every check."""
    schema, code = hostile.REFUSED[name]
    began = time.thread_time()
    with pytest.raises(SchemaRefused) as caught:
        Schema.compile(schema)
    assert time.thread_time() - began < SHORT
    assert caught.value.code == code
    assert 0 < len(caught.value.detail) <= 500


@pytest.mark.parametrize("name", hostile.CHECKED)
def test_a_hostile_check_is_short(no_network, name):
    """One call stops the gateway for everyone."""
    schema, value = hostile.CHECKED[name]
    compiled = Schema.compile(schema)
    began = time.thread_time()
    violations = compiled.check(value)
    assert time.thread_time() - began < SHORT
    assert len(violations) <= 20
    for violation in violations:
        assert len(violation.path) + len(violation.message) <= 600


@pytest.mark.parametrize("name", [*hostile.REFUSED, *hostile.CHECKED])
def test_inspection_ends_with_a_verdict(name):
    """A strange tool breaks the sync of all the others."""
    schema, _ = (hostile.REFUSED | hostile.CHECKED)[name]
    with pytest.raises(SchemaRefused):  # no tool's input: none of them says "object" at its top
        inspect_schema(schema)
