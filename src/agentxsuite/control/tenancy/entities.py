"""The shapes that every table shares: an id, a birth date, an owner, a soft death."""

from typing import Self, TypeVar
from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class EntityQuerySet(models.QuerySet[Row_co]):
    """Reads that every tenant table answers."""

    def live(self) -> Self:
        """Rows that nobody has deleted."""
        return self.filter(deleted_at=None)

    def in_organization(self, organization: models.Model | UUID) -> Self:
        """Rows that belong to one organization, given as a row or as its id."""
        return self.filter(organization=organization)

    def in_environment(self, environment: models.Model | UUID) -> Self:
        """Rows that belong to one environment, given as a row or as its id."""
        return self.filter(environment=environment)


class Entity(models.Model):
    """A row with a random id and its time of birth."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class Owned(Entity):
    """A row that belongs to one organization."""

    organization = models.ForeignKey("tenancy.Organization", on_delete=models.CASCADE)

    objects = EntityQuerySet.as_manager()

    class Meta:
        abstract = True


class Mortal(models.Model):
    """A row that is deleted by a date, so that evidence keeps pointing at something."""

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True
