"""What a binding may name: only what stands in the same organization, now."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from agentxsuite.control.agents.models import Agent
from agentxsuite.control.catalog.models import Tool
from agentxsuite.control.policies.drafts import BindingDraft
from agentxsuite.control.policies.models import ScopeType
from agentxsuite.control.problems import Fault
from agentxsuite.control.tenancy.models import (
    Environment,
    Organization,
    OrganizationMembership,
    Role,
)

BY_ID: Final = {ScopeType.ORG, ScopeType.ENV, ScopeType.AGENT, ScopeType.TOOL, ScopeType.USER}


@dataclass(frozen=True, slots=True)
class Home:
    """Where a policy stands; without an environment in all of its organization."""

    organization: Organization
    environment: Environment | None


def canonical(binding: BindingDraft) -> BindingDraft:
    """Return the binding with its id as the engine will compare it."""
    identifier = _as_uuid(binding.scope_id) if binding.scope_type in BY_ID else None
    return binding if identifier is None else replace(binding, scope_id=str(identifier))


def missing(
    home: Home, bindings: Sequence[BindingDraft], kept: Collection[BindingDraft] = ()
) -> Iterator[Fault]:
    """Yield a fault for each (canonical) binding that names nothing it could mean.

    Those `kept` from before are not asked again. A policy of one environment is never asked about
    what stands in another one. One query for each type of scope; a namespace may name what comes
    later.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for binding in bindings:
        named[binding.scope_type].add(binding.scope_id)
    found = {scope_type: _found(home, scope_type, ids) for scope_type, ids in named.items()}
    for binding in kept:
        found.setdefault(binding.scope_type, set()).add(binding.scope_id)
    for number, binding in enumerate(bindings):
        if binding.scope_id not in found[binding.scope_type]:
            message = f"There is no such {binding.scope_type} here."
            yield {"path": f"/bindings/{number}/scope_id", "message": message}


def _found(home: Home, scope_type: str, ids: set[str]) -> set[str]:
    """Those of `ids` that are there; all of them where it is for the engine to judge."""
    if scope_type == ScopeType.ROLE:
        return set(Role.values)
    if scope_type not in BY_ID:
        return ids
    identifiers = [each for each in map(_as_uuid, ids) if each is not None]
    return set(map(str, _rows(home, scope_type, identifiers)))


def _rows(home: Home, scope_type: str, ids: list[UUID]) -> QuerySet[Any, UUID]:
    if scope_type == ScopeType.USER:
        members = OrganizationMembership.objects.in_organization(home.organization)
        return members.filter(user_id__in=ids).values_list("user_id", flat=True)
    rows = _ROWS[scope_type](home)
    return rows.filter(id__in=ids).values_list("id", flat=True)


def _environments(home: Home) -> QuerySet[Any]:
    rows = Environment.objects.live().in_organization(home.organization)
    return rows if home.environment is None else rows.filter(id=home.environment.id)


def _dwellers(home: Home, model: type[Agent] | type[Tool]) -> QuerySet[Any]:
    rows = model.objects.live().in_organization(home.organization)
    return rows if home.environment is None else rows.in_environment(home.environment)


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_ROWS: Final[Mapping[str, Callable[[Home], QuerySet[Any]]]] = {
    ScopeType.ORG: lambda home: Organization.objects.filter(id=home.organization.id),
    ScopeType.ENV: _environments,
    ScopeType.AGENT: partial(_dwellers, model=Agent),
    ScopeType.TOOL: partial(_dwellers, model=Tool),
}
