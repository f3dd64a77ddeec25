"""The shape of rows that outlive everything they tell about."""

from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7

from agentxsuite.control.tenancy.entities import Row_co


def witness(to: str, *, null: bool = False) -> "models.ForeignKey[Any, Any]":
    """Return a reference without a database constraint: the row stays when its subject goes."""
    return models.ForeignKey(
        to,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,  # lists are served by the composite indexes of each table
        null=null,
        blank=null,
        related_name="+",
    )


class EvidenceQuerySet(models.QuerySet[Row_co]):
    """Reads that every table of evidence answers."""

    def in_organization(self, organization: models.Model | UUID) -> Self:
        """Rows of one organization, newest first, given as a row or as its id."""
        return self.filter(organization=organization).order_by("-id")


class Evidence(models.Model):
    """A row whose id tells when it was made, so that the newest page is found by id alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        abstract = True


# A row's id is made this much before or after the moment that the row tells of, at most.
EARLY: Final = -60 * 1000  # milliseconds: a clock that steps back between the two
LATE: Final = 60 * 60 * 1000


def first_id(moment: datetime, later: int = 0) -> UUID:
    """Return the lowest UUIDv7 (RFC 9562, section 5.7) of a moment, or milliseconds `later`.

    A range of time is bounded by id too, because that is what partitions are cut by.
    """
    milliseconds = max(0, int(moment.timestamp() * 1000) + later)
    return UUID(int=milliseconds << 80)


def moment_of(identifier: UUID) -> datetime:
    """Return when a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
