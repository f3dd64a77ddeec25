"""What a decision hangs on while some of the request is unknown: rules that look at that."""

from datetime import datetime
from typing import NamedTuple

from agentxsuite.engines.pdp.candidates import Candidates, find_candidates
from agentxsuite.engines.pdp.compile import Filed, PolicySet
from agentxsuite.engines.pdp.conditions import leaves
from agentxsuite.engines.pdp.decide import RuleRef, could_allow, refer
from agentxsuite.engines.pdp.kleene import FALSE, TRUE
from agentxsuite.engines.pdp.model import Request
from agentxsuite.engines.pdp.paths import Absent, Facts


class Pending(NamedTuple):
    """Rules that let one call pass and not another one, and what unknown values they look at.

    A denial that may hold stands before an allow, and of either the higher priority comes first.
    """

    rules: tuple[RuleRef, ...]
    paths: tuple[str, ...]


def pending(policies: PolicySet, request: Request, at: datetime) -> Pending | None:
    """What a decision on ``request`` hangs on; None where whatever is unknown makes no difference.

    The input is unknown, and so is every attribute that is ``UNKNOWN``.
    """
    if not could_allow(policies, request, at):
        return None
    facts = Facts(request.attributes, Absent.UNKNOWN, at)
    rules = _asked(find_candidates(policies, request), facts)
    if not rules:
        return None
    paths = (path for filed in rules for path in _unknown(filed, facts))
    return Pending(
        tuple(dict.fromkeys(refer(filed) for filed in rules)), tuple(dict.fromkeys(paths))
    )


def _asked(found: Candidates, facts: Facts) -> list[Filed]:
    """Some call could pass, so that none of the denies holds for certain."""
    asked = sorted(filed for filed in found.denies if filed[1].truth(facts) != FALSE)
    allows = {filed: filed[1].truth(facts) for filed in sorted(found.allows)}
    if TRUE not in allows.values():
        asked += [filed for filed, truth in allows.items() if truth & TRUE]
    return asked


def _unknown(filed: Filed, facts: Facts) -> list[str]:
    paths = [leaf.path for leaf in leaves(filed[1].condition)]
    return [path.text for path in paths if path.find(facts) is Absent.UNKNOWN]
