"""Letting go of what has expired: a part at a time, whenever its organization makes a token.

What became of it stands in the audit.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone

from agentxsuite.control.agents.models import IssuedToken
from agentxsuite.control.oauth.models import IDLE, AccessToken, Client, Code, Grant, RefreshToken

if TYPE_CHECKING:
    from collections.abc import Mapping

LATER: Final = timedelta(days=1)
AT_ONCE: Final = 200  # rows of each kind
UNUSED: Final = timedelta(days=1)  # for a client that nobody has let in


def forget(organization: UUID) -> None:
    """Delete expired codes and tokens of an organization, and grants that nobody came back to."""
    then = timezone.now() - LATER
    dead: Mapping[Any, dict[str, Any]] = {
        Code: {"expires__lt": then},
        RefreshToken: {"revoked__lt": then - IDLE},
        AccessToken: {"expires__lt": then, "refresh_token": None},
        IssuedToken: {"expires_at__lt": then, "metadata__has_key": "user"},
        Grant: {"used_at__lt": then - 2 * IDLE},
    }
    for model, condition in dead.items():
        rows = model.objects.filter(organization=organization, **condition)
        ids = list(rows.values_list("id", flat=True)[:AT_ONCE])
        if ids:
            model.objects.filter(id__in=ids).delete()


def forget_unused() -> int:
    """Delete clients that registered themselves and that nobody let in; returns how many."""
    then = timezone.now() - UNUSED
    rows = Client.objects.filter(used_at=None, created__lt=then)
    rows = rows.exclude(registration_source=Client.RegistrationSource.MANUAL)
    ids = list(rows.values_list("id", flat=True)[:AT_ONCE])
    if ids:
        Client.objects.filter(id__in=ids, used_at=None).delete()
    return len(ids)
