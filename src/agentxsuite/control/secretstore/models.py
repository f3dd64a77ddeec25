"""Secrets, their versions, and the keys that encrypt them."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from agentxsuite.control.tenancy.constraints import NAME, SameOwner, unique
from agentxsuite.control.tenancy.entities import Mortal, Owned


def new_ref() -> str:
    """Return an opaque name that tells nothing and that nobody guesses (192 bits)."""
    return f"sec_{secrets.token_urlsafe(24)}"


class DataKey(Owned):
    """A key that encrypts one organization's secrets, itself wrapped by a key-encryption key."""

    number = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    wrapped_by = models.CharField(max_length=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [unique("organization", "number"), unique("id", "organization")]


class Secret(Mortal, Owned):
    """A named place for a credential; with no environment it serves all of its organization.

    Of a deleted one the row stays, so that its ref is never given again, and no version does.
    """

    environment = models.ForeignKey(
        "tenancy.Environment", on_delete=models.CASCADE, null=True, blank=True
    )
    ref = models.CharField(max_length=64, unique=True, default=new_ref, editable=False)
    purpose = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            unique("id", "organization"),
            unique("ref", "organization"),
            SameOwner("environment"),
        ]


class SecretVersion(Owned):
    """One encrypted value of a secret; the highest number is the current one.

    `ciphertext` carries its own format version and nonce. `fingerprint` is the keyed hash by
    which an inbound credential is found without being decrypted.
    """

    secret = models.ForeignKey(Secret, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    data_key = models.ForeignKey(DataKey, on_delete=models.RESTRICT)
    ciphertext = models.BinaryField()
    fingerprint = models.CharField(max_length=64, null=True, blank=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            unique("secret", "number"),
            SameOwner("secret"),
            SameOwner("data_key"),
            models.CheckConstraint(condition=Q(number__gte=1), name=f"{NAME}number_from_one"),
        ]
