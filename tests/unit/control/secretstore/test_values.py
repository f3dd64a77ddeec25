import copy
import json
import logging
import pickle
from dataclasses import asdict

import pytest

from agentxsuite.control.secretstore.values import Concealed, Revealed

TEXT = "hunter2-canary"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        lambda value: f"{value}",
        lambda value: "%s %r" % (value, value),  # noqa: UP031 - logging formats like this
        lambda value: repr(Revealed(value, 3)),
        lambda value: repr([value, {value: value}]),
    ],
)
def test_no_way_of_showing_it_shows_it(show):
    """A credential would stand in a log, a page or an error message."""
    shown = show(Concealed(TEXT))
    assert TEXT not in shown
    assert "[secret]" in shown


def test_a_log_line_does_not_tell_it(caplog):
    """Whoever reads the logs would read the credential."""
    logging.getLogger(__name__).error("use %s of %r", Concealed(TEXT), Revealed(Concealed(TEXT), 1))
    assert TEXT not in caplog.text
    assert caplog.text


@pytest.mark.parametrize(
    "leave", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda s: asdict(Revealed(s, 1))]
)
def test_it_does_not_leave_the_process_unasked(leave):
    """A cache or a queue would keep the credential in plain text."""
    with pytest.raises(TypeError):
        leave(Concealed(TEXT))


def test_it_hands_itself_over_when_asked():
    """The platform could not use the credential that it was given."""
    assert Concealed(TEXT).reveal() == TEXT


def test_equal_secrets_are_equal():
    """A connection with an unchanged credential would be opened anew at every snapshot."""
    assert Concealed(TEXT) == Concealed(TEXT)
    assert Concealed(TEXT) != Concealed("other")
    assert Concealed(TEXT) != TEXT
    assert len({Concealed(TEXT), Concealed(TEXT)}) == 1
