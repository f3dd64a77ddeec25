"""Writing policies: whole, checked, in one transaction, and as a new version each time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.policies.difference import NOTHING, difference, told
from agentxsuite.control.policies.drafts import PolicyDraft, draft_of
from agentxsuite.control.policies.models import Policy
from agentxsuite.control.policies.writing import Kept, write
from agentxsuite.control.problems import Fault, Invalid, Problem
from agentxsuite.control.tenancy.models import Organization
from agentxsuite.control.tenancy.saving import held
from agentxsuite.control.tenancy.scope import changing
from agentxsuite.wire import JSON

Edit = Callable[[PolicyDraft], PolicyDraft]
Event = Literal["policy_created", "policy_changed", "policy_deleted"]


class Stale(Problem):
    """Somebody else has changed it since the caller looked (RFC 9110, section 13.1.1)."""

    status = 412
    title = "Changed meanwhile"

    def __init__(self, version: int) -> None:
        super().__init__("lost_update", f"The policy is at version {version} now; look again.")


@dataclass(frozen=True, slots=True)
class Return:
    """A way back: which version is restored, and its scopes, some of which may be gone by now."""

    number: int
    scopes: Kept


def create_policy(actor: Actor, organization: Organization, draft: PolicyDraft) -> Policy:
    """Write a new policy, at once in force as version 1. Raises Invalid, Conflict."""
    _check_ids(set(), draft)
    with changing(organization.id):
        policy = Policy(organization=organization, version=1)
        write(policy, draft, actor.user)
        _record("policy_created", actor, policy, difference(NOTHING, policy.rules_json))
    return policy


def replace_policy(
    actor: Actor, policy: Policy, draft: PolicyDraft, expected_version: int | None = None
) -> Policy:
    """Put a draft, rules and bindings, in place of what was there.

    Raises Invalid, Conflict, NotFound, and Stale where the version is not the expected one.
    """

    def whole(before: PolicyDraft) -> PolicyDraft:
        _check_ids({rule.id for rule in before.rules}, draft)
        return draft

    return edit_policy(actor, policy, whole, expected_version)


def change_policy(
    actor: Actor, policy: Policy, changes: Mapping[str, Any], expected_version: int | None = None
) -> Policy:
    """Change what is named of a draft's fields; raises as `replace_policy` does."""

    def change(before: PolicyDraft) -> PolicyDraft:
        draft = replace(before, **changes)
        _check_ids({rule.id for rule in before.rules}, draft)
        return draft

    return edit_policy(actor, policy, change, expected_version)


def edit_policy(
    actor: Actor,
    policy: Policy,
    edit: Edit,
    expected_version: int | None = None,
    back: Return | None = None,
) -> Policy:
    """Make of the current version the next one; nobody else can write in between.

    An edit that changes nothing is no version. Raises Invalid, Conflict, NotFound, and Stale where
    the version is not the expected one.
    """
    with changing(policy.organization_id):
        current = _expected(policy, expected_version)
        before = current.rules_json
        if write(current, edit(draft_of(current)), actor.user, back.scopes if back else ()):
            change = difference(before, current.rules_json)
            _record("policy_changed", actor, current, change, back)
    return current


def delete_policy(actor: Actor, policy: Policy, expected_version: int | None = None) -> None:
    """Take a policy out of force for good; its versions stay as evidence.

    Raises NotFound when somebody else was first, and Stale as `replace_policy` does.
    """
    with changing(policy.organization_id):
        current = _expected(policy, expected_version)
        current.deleted_at = timezone.now()
        current.save(update_fields=["deleted_at"])
        _record("policy_deleted", actor, current)


def _expected(policy: Policy, version: int | None) -> Policy:
    current = held(Policy.objects.live(), policy.pk)
    if version not in {None, current.version}:
        raise Stale(current.version)
    return current


def _check_ids(known: set[UUID | None], draft: PolicyDraft) -> None:
    """Refuse rules that claim to be what they cannot be: another policy's, or one rule twice."""
    ids = [rule.id for rule in draft.rules]
    faults: list[Fault] = [
        {"path": f"/rules/{number}/id", "message": "The policy has no such rule."}
        for number, rule_id in enumerate(ids)
        if rule_id is not None and (rule_id not in known or rule_id in ids[:number])
    ]
    if faults:
        raise Invalid("A rule names an id that is not its own.", faults, code="policy_invalid")


def _record(
    event: Event,
    actor: Actor,
    policy: Policy,
    change: Mapping[str, JSON] | None = None,
    back: Return | None = None,
) -> None:
    verb = {"policy_created": "create", "policy_changed": "change", "policy_deleted": "delete"}
    record(
        event,
        actor=actor,
        organization=policy.organization_id,
        environment=policy.environment_id,
        action="policy.restore" if back else f"policy.{verb[event]}",
        target=f"policy:{policy.id}",
        data={
            "name": policy.name,
            "version": policy.version,
            "is_active": policy.is_active,
            "rules": len(policy.rules_json["rules"]),
            "bindings": len(policy.rules_json["bindings"]),
            **({"change": told(change)} if change else {}),
            **({"restored": back.number} if back else {}),
        },
    )
