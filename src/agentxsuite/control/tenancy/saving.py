"""Storing one row: checked like a form first, so that whoever wrote it learns all that is wrong."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from agentxsuite.control.problems import Conflict, Fault, Invalid, NotFound
from agentxsuite.wire import JSON

Row = TypeVar("Row", bound=models.Model)
OWNERS = {"organization", "environment", "user"}  # in whose realm a name is taken


def save(row: Row) -> Row:
    """Check `row` against its fields and constraints, then insert or update it.

    Raises Invalid with every fault, or Conflict when another row stands in the way; that includes
    one that came between the check and the insert.
    """
    try:
        row.clean_fields()
    except ValidationError as error:
        raise _invalid(error) from None
    _check_unique_fields(row)
    for constraint in row._meta.constraints:
        _check(constraint, row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(f"Another {_noun(row)} stands in the way.") from None
    return row


def held(rows: QuerySet[Row], row_id: UUID) -> Row:
    """Return a row that nobody else changes until the transaction ends; raises NotFound."""
    row = rows.select_for_update(no_key=True).filter(pk=row_id).first()
    if row is None:
        raise NotFound
    return row


def alter(row: models.Model, changes: Mapping[str, Any]) -> dict[str, JSON]:
    """Set what differs; returns it as `{field: {"from": ..., "to": ...}}`."""
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    return {
        name: {"from": plain(before[name]), "to": plain(value)}
        for name, value in changes.items()
        if before[name] != value
    }


def plain(value: Any) -> Any:
    """Return a field's value as JSON: rows by their id, other objects as text."""
    if isinstance(value, models.Model):
        return str(value.pk)
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(value)


def _check_unique_fields(row: models.Model) -> None:
    try:
        row.validate_unique()
    except ValidationError as error:
        names = " and ".join(error.update_error_dict({}))
        raise Conflict(f"Another {_noun(row)} has this {names}.") from None


def _check(constraint: models.BaseConstraint, row: models.Model) -> None:
    try:
        constraint.validate(type(row), row)
    except ValidationError as error:
        if not isinstance(constraint, models.UniqueConstraint):
            raise _invalid(error) from None
        names = [name for name in constraint.fields if name not in OWNERS] or ["name"]
        raise Conflict(f"Another {_noun(row)} has this {' and '.join(names)}.") from None


def _invalid(error: ValidationError) -> Invalid:
    found = list(_faults(error))
    return Invalid(f"{found[0]['path']}: {found[0]['message']}".removeprefix(": "), found)


def _faults(error: ValidationError) -> Iterator[Fault]:
    by_field = error.update_error_dict({})
    for name, errors in by_field.items():
        path = "" if name == NON_FIELD_ERRORS else f"/{name}"
        for message in ValidationError(errors).messages:
            yield {"path": path, "message": message}


def _noun(row: models.Model) -> str:
    return str(row._meta.verbose_name)
