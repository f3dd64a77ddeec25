"""The policies in force in an environment, ready to decide by: now, or at an earlier moment."""

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.policies.then import policies_then
from agentxsuite.control.problems import Problem
from agentxsuite.control.tenancy.models import Environment, Revision
from agentxsuite.engines import pdp

REMEMBERED: Final = 8  # environments: to compile ten thousand rules takes a second


class PoliciesUnreadable(Problem):
    """A stored policy is damaged: nothing is allowed, and nothing can be told."""

    status = 503
    title = "Not available now"

    def __init__(self) -> None:
        super().__init__("pdp_error", "The policies cannot be read; nothing is allowed until then.")


def policies_in_force(environment: Environment, at: datetime | None = None) -> pdp.PolicySet:
    """Return an environment's policies as they are, or were `at` an earlier moment.

    Raises PoliciesUnreadable.
    """
    place = environment.organization_id, environment.id
    try:
        if at is not None:
            return pdp.PolicySet.compile(policies_then(environment, at), *map(str, place))
        revision = Revision.objects.values_list("value", flat=True).get(environment=environment)
        return _compiled(*place, revision)
    except pdp.PolicyInvalid:
        raise PoliciesUnreadable from None


@lru_cache(REMEMBERED)
def _compiled(organization: UUID, environment: UUID, revision: int) -> pdp.PolicySet:  # noqa: ARG001 - what it is remembered by
    """Compile an environment's policies, read after its revision: never older than that."""
    stored = policies_of(Environment(id=environment, organization_id=organization))
    return pdp.PolicySet.compile(stored, str(organization), str(environment))
