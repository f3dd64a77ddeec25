"""Logging in and out. Each login makes its own token, so that a device can be cut off alone."""

from datetime import datetime
from typing import Final, NamedTuple

from asgiref.sync import async_to_sync
from django.contrib.auth import authenticate
from django.db import transaction
from knox.models import AuthToken

from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.problems import Problem, Throttled
from agentxsuite.engines.limits import MemoryLimiter, Rate

TRIES: Final = Rate(per_minute=5, burst=10)  # for one account from one address
_LIMITER: Final = MemoryLimiter()


class WrongCredentials(Problem):
    """Address and password do not belong together; which of them is wrong stays unsaid."""

    status = 401
    title = "Authentication needed"

    def __init__(self) -> None:
        super().__init__("wrong_credentials", "This address and password do not belong together.")

    def headers(self) -> dict[str, str]:
        """Return the challenge that belongs to a 401 (RFC 9110, section 15.5.2)."""
        return {"WWW-Authenticate": "Bearer"}


class Login(NamedTuple):
    """A login token, shown this once, and when it expires."""

    user: User
    token: str
    expiry: datetime


def log_in(actor: Actor, email: str, password: str) -> Login:
    """Check a password and make a login token.

    Raises Throttled before anything is hashed, or WrongCredentials. Success and failure are
    recorded; a throttled try is not, so that nobody fills the log by knocking.
    """
    account = email.strip().lower()
    _take(f"{actor.address}|{account}")
    user = authenticate(username=account, password=password)
    if not isinstance(user, User):
        _record_failure(actor, account)
        raise WrongCredentials
    with transaction.atomic():
        row, token = AuthToken.objects.create(user)
        _record(Actor.person(user, actor.address, actor.client), user)
    return Login(user, token, row.expiry)


@transaction.atomic
def log_out(actor: Actor, user: User, token: AuthToken) -> None:
    """Make the token that was shown invalid; those of other devices stay."""
    token.delete()
    record(
        "logout",
        actor=actor,
        organization=None,
        action="auth.logout",
        target=f"user:{user.id}",
    )


def _take(key: str) -> None:
    taken = async_to_sync(_LIMITER.take)(key, TRIES)
    if not taken.allowed:
        raise Throttled("Too many tries: wait, then try again.", taken.retry_after)


def _record(actor: Actor, user: User) -> None:
    record("login", actor=actor, organization=None, action="auth.login", target=f"user:{user.id}")


def _record_failure(actor: Actor, account: str) -> None:
    known = User.objects.filter(email=account).values_list("id", flat=True).first()
    record(
        "login_failed",
        actor=actor,
        organization=None,
        action="auth.login",
        target=f"user:{known or 'unknown'}",
        decision="deny",
        data={"email": account},
    )
