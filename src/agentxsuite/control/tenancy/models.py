"""Organizations, environments, people and their roles."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from .constraints import NAME, SameOwner, one_of, unique, unique_while_live
from .entities import Entity, EntityQuerySet, Mortal, Owned


class Organization(Mortal, Entity):
    """A tenant. Everything else belongs to one."""

    name = models.CharField(max_length=200)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EntityQuerySet.as_manager()

    class Meta:
        constraints = [unique_while_live("name")]

    def __str__(self) -> str:
        return self.name


class EnvironmentType(models.TextChoices):
    """How much is at stake there."""

    DEV = "dev"
    STAGE = "stage"
    PROD = "prod"


class Environment(Mortal, Owned):
    """A part of an organization with connections, agents and an MCP address of its own."""

    name = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=EnvironmentType, default=EnvironmentType.DEV)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            unique_while_live("organization", "name"),
            unique("id", "organization"),
            one_of("type", EnvironmentType),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes people; addresses are stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **facts: Any) -> "User":
        """Store a person whose password is hashed, or unusable when None."""
        user = self.model(email=email.strip().lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by address, in any case; raises User.DoesNotExist."""
        return self.get(email=(username or "").strip().lower())


class User(Entity, AbstractBaseUser):
    """A person. Roles are memberships; `is_operator` is the one role of the installation."""

    email = models.EmailField(unique=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)

    USERNAME_FIELD = "email"

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name=f"{NAME}email_lower_case"
            ),
        ]


class Role(models.TextChoices):
    """From most to least; the auditor stands beside the ladder."""

    OWNER = "owner"
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    AUDITOR = "auditor"


class OrganizationMembership(Owned):
    """The one role that a person has in an organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [unique("user", "organization"), one_of("role", Role)]


class Invitation(Owned):
    """A role that waits for whoever has the address and knows the code; it goes with its use.

    Of the code only its SHA-256 is kept. It is worth what the person who gave it may still give.
    """

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField()
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            unique("organization", "email"),
            one_of("role", Role),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name=f"{NAME}email_lower_case"
            ),
        ]


class KeptAnswer(Entity):
    """What a caller was answered under an `Idempotency-Key`; kept for a day.

    `holder` is the person, or stands for the account that an anonymous caller claims. `digest`
    tells what was asked. Without a `status` it is being answered. Without a `body` it was answered
    with something that is not kept, and `made` is the id of what came of it. `rights` are the roles
    that the caller had then, by organization.
    """

    holder = models.UUIDField()
    address = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    rights = models.JSONField(default=dict)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(null=True)
    made = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [unique("holder", "address", "key")]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_oldest")]

    def __str__(self) -> str:
        return f"{self.address} {self.key}"


class Revision(models.Model):
    """A counter that database triggers advance whenever a fact of the environment changes.

    Whoever keeps a snapshot of an environment reads it together with this value, and knows by
    comparing the value that the snapshot still holds. Nothing but the triggers writes it.
    """

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    value = models.BigIntegerField(default=1)

    class Meta:
        constraints = [SameOwner("environment")]

    def __str__(self) -> str:
        return str(self.value)


class Touched(models.Model):
    """The revision of an environment at which a thing last changed for it.

    Written by the triggers that advance the revision, in the same transaction. Whoever keeps a
    snapshot reads anew what was touched since its revision, and nothing else. `subject` is the id
    of the thing, which may be gone; `kind` says what it is. References are not constraints: the end
    of an environment touches things, too.
    """

    environment = models.ForeignKey(
        Environment,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=20)
    subject = models.UUIDField()
    revision = models.BigIntegerField()

    class Meta:
        constraints = [unique("environment", "kind", "subject")]
        indexes = [models.Index(fields=["environment", "revision"], name="tenancy_touched_since")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
