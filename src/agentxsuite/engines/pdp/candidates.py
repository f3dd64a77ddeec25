"""Which rules a request is about: those in its scopes whose patterns cover it."""

from typing import NamedTuple

from agentxsuite.engines.pdp.compile import Filed, Index, PolicySet
from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.problems import Refused
from agentxsuite.engines.pdp.targets import Target, covering_actions, read_target


class Candidates(NamedTuple):
    """Rules that cover a request, conditions aside; a rule bound twice stands here twice."""

    denies: list[Filed]
    allows: list[Filed]


def find_candidates(policies: PolicySet, request: Request) -> Candidates:
    """Look the request up; raises Refused for a target that cannot be meant honestly."""
    if (request.organization, request.environment) != (policies.organization, policies.environment):
        raise Refused("foreign_snapshot", "these policies belong to another environment")
    target = read_target(request.target)
    granting, restricting = scopes_of(request, target)
    denies: list[Filed] = []
    allows: list[Filed] = []
    for filed in _covering(policies.index, granting, request.action, target):
        (allows if filed[1].allows else denies).append(filed)
    if restricting:
        found = _covering(policies.index, restricting, request.action, target)
        denies += [filed for filed in found if not filed[1].allows]
    return Candidates(denies, allows)


def scopes_of(request: Request, target: Target) -> tuple[list[str], list[str]]:
    """Scopes whose allows and denies count, and those of which only the denies do."""
    shared = [f"org:{request.organization}", f"env:{request.environment}", *target.namespaces]
    if request.tool is not None:
        shared.append(f"tool:{request.tool}")
    personal = [f"role:{role}" for role in request.roles]
    if request.user is not None:
        personal.append(f"user:{request.user}")
    if request.agent is None:
        return shared + personal, []
    shared.append(f"agent:{request.agent}")
    return shared, personal


def _covering(index: Index, scopes: list[str], action: str, target: Target) -> list[Filed]:
    found: list[Filed] = []
    for scope in scopes:
        shelf = index.get(scope)
        if shelf is not None:
            for key in target.keys:
                if key in shelf:
                    found += shelf[key]
    actions, segments = covering_actions(action), target.segments
    return [
        filed for filed in found if filed[1].action in actions and filed[1].target.covers(segments)
    ]
