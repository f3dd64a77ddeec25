"""Rules that the database itself keeps, written once and declared beside the columns."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q
from django.db.models.constraints import BaseConstraint

NAME = "%(app_label)s_%(class)s_"


def one_of(field: str, choices: type[models.Choices]) -> models.CheckConstraint:
    """`field` holds one of the stored (lower case) values of `choices`."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__in": choices.values}), name=f"{NAME}{field}_known"
    )


def unique_while_live(*fields: str) -> models.UniqueConstraint:
    """No two live rows share `fields`; deleting a row frees its name."""
    return models.UniqueConstraint(
        fields=fields, condition=Q(deleted_at=None), name=f"{NAME}live_{fields[-1]}"
    )


def unique(*fields: str) -> models.UniqueConstraint:
    """No two rows, dead or alive, share `fields`; also what a composite reference points at."""
    return models.UniqueConstraint(fields=fields, name=f"{NAME}one_{'_'.join(fields)}")


class SameOwner(BaseConstraint):
    """A composite foreign key: what `field` points at has the same owner as this row.

    `(field, owner)` references `(target, owner)` of the table that `field` points at, which
    must declare `unique(target, owner)`. Being part of the table's own definition, it survives
    the remaking of tables by which Django alters SQLite. It is checked at commit, as Django's
    own foreign keys are; a null in either column switches it off.

    `mine` names this table's owner column where it is called differently there.
    """

    def __init__(
        self, field: str, owner: str = "organization", *, mine: str = "", name: str = ""
    ) -> None:
        super().__init__(name=name or f"{NAME}{field}_same_{owner}")
        self.field, self.owner, self.mine = field, owner, mine or owner

    def target(self, model: Any) -> tuple[Any, str]:
        """Return the model that is pointed at, and the name of its identifying field."""
        return model._meta.get_field(self.field).related_model, "id"

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the clause as it stands inside CREATE TABLE."""
        quote = schema_editor.quote_name
        there, key = self.target(model)
        here = [model._meta.get_field(name).column for name in (self.field, self.mine)]
        remote = [there._meta.get_field(name).column for name in (key, self.owner)]
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({', '.join(map(quote, here))})"
            f" REFERENCES {quote(there._meta.db_table)} ({', '.join(map(quote, remote))})"
            " DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the statement that adds it to an existing table (PostgreSQL only)."""
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the statement that takes it away again (PostgreSQL only)."""
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(
        self, model: Any, instance: Any, exclude: Any = None, using: str = DEFAULT_DB_ALIAS
    ) -> None:
        """Tell a form before the database has to; raises ValidationError."""
        if exclude and not {self.field, self.mine}.isdisjoint(exclude):
            return
        there, key = self.target(model)
        columns = [model._meta.get_field(name).attname for name in (self.field, self.mine)]
        here = [getattr(instance, column) for column in columns]
        owned = dict(zip((key, self.owner), here, strict=True))
        if None not in here and not there.objects.using(using).filter(**owned).exists():
            raise ValidationError(self.get_violation_error_message())

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return what a migration writes down."""
        path, _, kwargs = super().deconstruct()
        return path, (self.field, self.owner), {"mine": self.mine, **kwargs}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SameOwner):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


class WhileMember(SameOwner):
    """The person that `field` names is a member of this row's organization, or the row goes."""

    def target(self, model: Any) -> tuple[Any, str]:
        """Return the memberships' model, whichever model `field` stands in."""
        del model
        return apps.get_model("tenancy", "OrganizationMembership"), "user"

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the clause as it stands inside CREATE TABLE."""
        clause = super().constraint_sql(model, schema_editor)
        return clause.replace(" DEFERRABLE ", " ON DELETE CASCADE DEFERRABLE ")


class OwnSecret(SameOwner):
    """The secret that `field` names by its ref exists in this row's organization.

    The app that declares it makes its first migration depend on secretstore's.
    """

    def target(self, model: Any) -> tuple[Any, str]:
        """Return the secrets' model, whichever model `field` stands in."""
        del model
        return apps.get_model("secretstore", "Secret"), "ref"
