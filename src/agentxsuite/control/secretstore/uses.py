"""What uses a secret: every live row of its organization with a column that names its ref."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps

from agentxsuite.control.secretstore.models import Secret
from agentxsuite.control.tenancy import access
from agentxsuite.control.tenancy.constraints import OwnSecret


@dataclass(frozen=True, slots=True)
class Use:
    """A row that names a secret: which `kind` it is, and in which `field` it does."""

    kind: str
    id: UUID
    name: str
    field: str


def uses_of(secret: Secret) -> list[Use]:
    """Return every use of a secret, ordered by kind and name."""
    found = [use for model, field in _columns() for use in _uses(model, field, secret)]
    return sorted(found, key=lambda use: (use.kind, use.name, use.field))


def _columns() -> Iterator[tuple[Any, str]]:
    """Every column that names a secret, as the models declare it."""
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, OwnSecret):
                yield model, constraint.field


def _uses(model: Any, field: str, secret: Secret) -> Iterator[Use]:
    mine = {"organization": secret.organization_id, field: secret.ref}
    for row in access.live(model).filter(**mine):
        yield Use(str(model._meta.verbose_name), row.id, row.name, field)
