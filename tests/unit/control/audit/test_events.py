"""The list of event names is the one that the program uses and the page explains."""

import ast
import re
from pathlib import Path

import agentxsuite
from agentxsuite.control.audit.events import EVENTS
from agentxsuite.gateway import refusals

SOURCE = Path(agentxsuite.__file__).parent
PAGE = Path(__file__).parents[4] / "docs/api/events.md"
LIST = SOURCE / "control/audit/events.py"


def nodes():
    for path in SOURCE.rglob("*.py"):
        if path != LIST:
            yield from ast.walk(ast.parse(path.read_text()))


def recorded():
    """What `record(...)` is given as a name."""
    for node in nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "record":
            yield from (arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant))


def spelled():
    """Every text in the source, and the names that the gateway makes of a refusal's outcome."""
    yield from (
        n.value for n in nodes() if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )
    kinds = [kind for kind in vars(refusals).values() if isinstance(kind, type)]
    yield from (f"run_{outcome}" for kind in kinds if (outcome := getattr(kind, "outcome", None)))


def test_every_recorded_name_is_listed():
    """Otherwise: an auditor meets events that no list and no page knows."""
    names = set(recorded())
    assert names
    assert names <= EVENTS


def test_every_listed_name_is_used():
    """Otherwise: an auditor waits for events that never come."""
    assert set(spelled()) >= EVENTS


def test_the_page_explains_every_event():
    """Otherwise: an auditor has to guess what an event means."""
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)) == EVENTS
