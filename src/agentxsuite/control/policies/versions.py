"""Old versions of a policy: read, compared, and written again."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from agentxsuite.control.audit.services import Actor
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy, PolicyVersion
from agentxsuite.control.policies.services import Return, edit_policy
from agentxsuite.control.problems import Invalid
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.models import Environment


def versions_of(policy: Policy) -> QuerySet[PolicyVersion]:
    """Return every version of a policy, newest first, without what they said."""
    rows = PolicyVersion.objects.filter(policy=policy).select_related("created_by")
    return rows.order_by("-number").defer("rules_json")


def version_of(policy: Policy, number: int) -> PolicyVersion:
    """Return one version; raises NotFound."""
    rows = PolicyVersion.objects.filter(policy=policy).select_related("created_by")
    return access.one(rows, number=number)


def restore(
    actor: Actor,
    policy: Policy,
    version: PolicyVersion,
    expected_version: int | None = None,
    *,
    acknowledge_broad: bool = False,
) -> Policy:
    """Write what an old version said as a new version, its rules under their own ids.

    Scopes that are gone by now come back as well, and mean nobody. Raises Invalid, Conflict,
    NotFound, and Stale where the version is not the expected one.
    """
    said: Any = version.rules_json
    draft = PolicyDraft(
        name=said["name"],
        rules=tuple(map(_rule, said["rules"])),
        bindings=tuple(map(_binding, said["bindings"])),
        environment=_environment(policy, said["environment"]),
        is_active=said["is_active"],
        acknowledge_broad=acknowledge_broad,
    )
    back = Return(version.number, draft.bindings)
    return edit_policy(actor, policy, lambda _: draft, expected_version, back)


def _rule(said: dict[str, Any]) -> RuleDraft:
    facts = {name: value for name, value in said.items() if name not in {"id", "position"}}
    return RuleDraft(**facts, id=UUID(said["id"]))


def _binding(said: dict[str, Any]) -> BindingDraft:
    return BindingDraft(said["scope_type"], said["scope_id"], said["priority"])


def _environment(policy: Policy, identifier: str | None) -> Environment | None:
    if identifier is None:
        return None
    rows = Environment.objects.live().in_organization(policy.organization_id)
    found = rows.filter(id=identifier).first()
    if found is None:
        raise Invalid.at("/environment", "The environment of that version is gone.")
    return found
