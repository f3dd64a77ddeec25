"""Clients, what people granted them, and the codes and tokens that came of it.

The toolkit's own models, with a tenant. Of codes and tokens only their SHA-256 is kept. A client
belongs to nobody: whoever writes an MCP client registers it once, for people of all organizations.
What it may do is a `Grant` of a person, or a `Machine` of an organization.
"""

import hashlib
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractRefreshToken,
    ApplicationManager,
)

from agentxsuite.control.agents.models import IssuedToken
from agentxsuite.control.oauth.redirects import check_redirect
from agentxsuite.control.oauth.scopes import scope_words
from agentxsuite.control.tenancy.constraints import SameOwner, unique
from agentxsuite.control.tenancy.entities import EntityQuerySet, Owned

IDLE: Final = timedelta(days=30)  # without a new token, a grant is worth nothing any more


def digest(secret: str) -> str:
    """Return what is kept of a secret that is too long to be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def row_id() -> "models.UUIDField[UUID | str, UUID]":
    """Return a random primary key, in the place of the toolkit's counter."""
    return models.UUIDField(primary_key=True, default=uuid4, editable=False)


def owner() -> "models.ForeignKey[Any, Any]":
    """Return the organization that a row belongs to."""
    return models.ForeignKey("tenancy.Organization", on_delete=models.CASCADE, related_name="+")


class Digest(models.CharField):  # type: ignore[type-arg]  # Django has no types at run time
    """A secret that is found by its digest: whoever has the database has no secret."""

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored, and looked for."""
        return digest(value)


class Client(AbstractApplication):  # type: ignore[misc]  # the toolkit has no types
    """A program that asks for tokens: registered by itself, by its document, or as a machine."""

    id = row_id()
    client_secret = models.CharField(
        max_length=64, blank=True, editable=False
    )  # a machine's digest
    registration_digest = models.CharField(max_length=64, blank=True, editable=False)
    scopes = models.JSONField(default=scope_words)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What the toolkit knows and this server does not do.
    user = hash_client_secret = skip_authorization = algorithm = None
    post_logout_redirect_uris = allowed_origins = None

    objects = ApplicationManager()

    class Meta:
        indexes = [models.Index(fields=["used_at", "created"], name="oauth_client_unused")]

    def clean(self) -> None:
        """Check where it wants people to be sent; raises ValidationError."""
        for uri in self.redirect_uris.split():
            if told := check_redirect(uri):
                raise ValidationError({"redirect_uris": told})


class GrantQuerySet(EntityQuerySet["Grant"]):
    """Reads of what was granted."""

    def standing(self) -> Self:
        """Those that still lead to tokens."""
        return self.filter(ended_at=None, used_at__gt=timezone.now() - IDLE)


class Grant(Owned):
    """A person's word that a client may act as one agent of theirs."""

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="grants")
    scopes = models.JSONField(default=list)
    used_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()  # type: ignore[misc]  # Owned has one, too

    class Meta:
        constraints = [
            SameOwner("environment"),
            SameOwner("agent", "environment"),
            unique("id", "organization"),
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="oauth_grant_of_user")]

    def end(self) -> bool:
        """Let nothing of it be good from the next call on; returns whether it stood until now."""
        ending = type(self).objects.filter(id=self.id, ended_at=None)
        if not ending.update(ended_at=timezone.now()):
            return False
        RefreshToken.objects.filter(grant=self, revoked=None).update(revoked=timezone.now())
        for token in AccessToken.objects.filter(grant=self):
            token.revoke()
        return True


class Machine(Owned):
    """The login of a program that acts as one agent, with no person behind it."""

    environment = models.ForeignKey("tenancy.Environment", on_delete=models.CASCADE)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, related_name="machines")
    client = models.OneToOneField(Client, on_delete=models.CASCADE, related_name="machine")
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [SameOwner("environment"), SameOwner("agent", "environment")]


class Code(AbstractGrant):  # type: ignore[misc]  # as above
    """An authorization code: good once, for a minute."""

    id = row_id()
    organization = owner()
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="+")
    code = Digest(max_length=64, unique=True)
    user = None  # the grant's
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [SameOwner("grant")]


class AccessToken(AbstractAccessToken):  # type: ignore[misc]  # as above
    """The toolkit's note of one of our agent tokens, which `jti` names; the token is not kept."""

    id = row_id()
    organization = owner()
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, null=True, related_name="+")
    jti = models.CharField(max_length=64, unique=True)
    user = id_token = None

    class Meta:
        constraints = [SameOwner("grant")]

    def revoke(self) -> None:
        """End the token: there is a newer one in its place, or its grant has ended."""
        standing = IssuedToken.objects.filter(jti=self.jti, revoked_at=None)
        standing.update(revoked_at=timezone.now())
        self.delete()


class RefreshToken(AbstractRefreshToken):  # type: ignore[misc]  # as above
    """What a client gets its next token with; each is good once."""

    id = row_id()
    organization = owner()
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="+")

    class Meta(AbstractRefreshToken.Meta):  # type: ignore[misc]  # as above
        constraints = [SameOwner("grant")]

    @property
    def user(self) -> Any:
        """The person who granted it."""
        return self.grant.user
