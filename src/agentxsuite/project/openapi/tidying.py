"""What the generator leaves unlike OpenAPI 3.1, or unlike what is answered."""

from typing import Any

from agentxsuite.project.openapi.problems import Schema

DONE = {"200": "Done.", "201": "Made.", "202": "Begun.", "204": "Done; there is nothing to tell."}
ITS_OWN = ("x-spec-enum-id", "example")  # marks of the generator, and examples of elsewhere
LIMITS = (2**31, 2**63)  # of a column's type, which is the database's business
ANYTHING: list[Schema] = [{}, {"type": "null"}]


def tidied(part: Any) -> Any:
    """Return a part of the description in order, whatever it is."""
    if isinstance(part, list):
        return [tidied(each) for each in part]
    if not isinstance(part, dict):
        return part
    tidy = {name: tidied(each) for name, each in part.items() if name not in ITS_OWN}
    for rule in (_say_null, _say_anything, _say_page, _say_done, _say_no_limits):
        rule(tidy)
    return tidy


def _say_null(part: Schema) -> None:
    """`nullable` is a word of older versions."""
    if part.get("nullable") is True and "type" in part:
        del part["nullable"]
        part["type"] = [part["type"], "null"]


def _say_anything(part: Schema) -> None:
    """Null is something of anything, and not one of the two."""
    if part.get("oneOf") == ANYTHING:
        del part["oneOf"]


def _say_page(part: Schema) -> None:
    """A page always says where the next one is, even when there is none."""
    properties = part.get("properties")
    if isinstance(properties, dict) and {"next", "previous", "results"} <= set(properties):
        part["required"] = sorted(properties)


def _say_done(part: Schema) -> None:
    """Every answer has a description."""
    for status, said in DONE.items():
        answer = part.get(status)
        if isinstance(answer, dict) and not answer.get("description"):
            answer["description"] = said


def _say_no_limits(part: Schema) -> None:
    """A whole number's limits are told where somebody chose them."""
    if part.get("maximum") in {limit - 1 for limit in LIMITS}:
        del part["maximum"]
        part.pop("format", None)
    if part.get("minimum") in {-limit for limit in LIMITS}:
        del part["minimum"]
