"""Logging in and out. Each login makes its own token, so that a device can be cut off alone."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.contrib.auth import authenticate
from django.db import transaction
from knox.models import AuthToken
from knox.settings import knox_settings

from agentxsuite import masking
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Forbidden, Problem
from agentxsuite.control.tenancy import tries
from agentxsuite.control.tenancy.models import User

LASTING: Final[timedelta] = knox_settings.TOKEN_TTL


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


def log_in(actor: Actor, email: str, password: str, lasting: timedelta = LASTING) -> Login:
    """Check a password and make a login token.

    Raises Throttled before anything is hashed, or WrongCredentials. Success and failure are
    recorded; a throttled try is not, so that nobody fills the log by knocking.
    """
    take_a_try(actor, email)
    user = authenticate(username=account(email), password=password)
    if not isinstance(user, User):
        _record_failure(actor, account(email))
        raise WrongCredentials
    with transaction.atomic():
        person = Actor.person(user, actor.address, actor.client)
        return open_session(person, held_as_checked(user), lasting)


def open_session(actor: Actor, user: User, lasting: timedelta = LASTING) -> Login:
    """Make a login token for a person who has shown who they are."""
    row, token = AuthToken.objects.create(user, expiry=lasting)
    record("login", actor=actor, organization=None, action="auth.login", target=f"user:{user.id}")
    return Login(user, masking.learn(token), row.expiry)


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


def confirm(actor: Actor, user: User, password: str) -> None:
    """Let somebody who is logged in show once more who they are: a token may be stolen.

    Raises Throttled before anything is hashed, or Forbidden, which is recorded like a failed login.
    """
    take_a_try(actor, user.email)
    if not user.check_password(password):
        _record_failure(actor, user.email)
        raise Forbidden("This is not your password.", code="wrong_password")


def held_as_checked(user: User) -> User:
    """Return an account that nobody else changes until the transaction ends.

    Raises WrongCredentials if its password has changed since it was read and checked: whoever
    changed it has just ended what the old one opened.
    """
    rows = User.objects.select_for_update(no_key=True)
    current = rows.filter(id=user.id, is_active=True, password=user.password).first()
    if current is None:
        raise WrongCredentials
    return current


def take_a_try(actor: Actor, email: str) -> None:
    """Count a try for an account from where the actor is; raises Throttled."""
    tries.take_a_try(actor.address, account(email))


def account(email: str) -> str:
    """Return an address as accounts keep it."""
    return email.strip().lower()


def _record_failure(actor: Actor, email: str) -> None:
    known = User.objects.filter(email=email).values_list("id", flat=True).first()
    record(
        "login_failed",
        actor=actor,
        organization=None,
        action="auth.login",
        target=f"user:{known or 'unknown'}",
        decision="deny",
        data={"email": email},
    )
