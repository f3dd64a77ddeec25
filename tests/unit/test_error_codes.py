"""The page of error codes is the list that the program uses."""

import ast
import re
from pathlib import Path

import agentxsuite

SOURCE = Path(agentxsuite.__file__).parent
PAGE = Path(__file__).parents[2] / "docs/api/errors.md"
LISTED = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
REFUSALS = {
    *("Unauthenticated", "Unknown", "Denied", "Throttled", "Malformed", "TooLarge", "Unavailable"),
    *("UpstreamFailed", "UpstreamTimedOut", "Problem", "TokenInvalid", "EndpointInvalid"),
}
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def nodes():
    for path in SOURCE.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text()))


def raised():
    """Codes given to a refusal as its first argument, or as ``code=``."""
    for node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).split(".")[-1]
        given = node.args[:1] if name in REFUSALS else []
        given += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        for value in given:
            if isinstance(value, ast.Constant) and CODE.fullmatch(str(value.value)):
                yield value.value


def spelled():
    return {
        word
        for node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in re.findall(r"\w+", node.value)
    }


def test_every_code_is_on_the_page():
    """A developer would meet codes that nothing explains."""
    codes = set(raised())
    assert len(codes) > 30
    assert codes - LISTED == set()


def test_every_code_on_the_page_is_used():
    """A developer would prepare for errors that never come."""
    assert LISTED - spelled() == set()
