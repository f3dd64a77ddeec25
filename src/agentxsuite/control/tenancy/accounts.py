"""People's accounts: making one, and changing what belongs to oneself."""

from typing import TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from knox.models import AuthToken

from agentxsuite.control.audit.events import EventType
from agentxsuite.control.audit.services import Actor, record
from agentxsuite.control.problems import Fault, Forbidden, Invalid
from agentxsuite.control.tenancy import login
from agentxsuite.control.tenancy.invitations import check_invitation, redeem
from agentxsuite.control.tenancy.models import User
from agentxsuite.control.tenancy.saving import alter, save
from agentxsuite.wire import JSON


class AccountFacts(TypedDict, total=False):
    """What else an account is told when it is made."""

    first_name: str
    last_name: str
    is_operator: bool


class Changes(TypedDict, total=False):
    """What people change of their own account."""

    email: str
    first_name: str
    last_name: str


def create_user(
    actor: Actor, email: str, password: str | None, **facts: Unpack[AccountFacts]
) -> User:
    """Make an account; without a password nobody can log in to it until one is set.

    Raises Invalid for a weak password, Conflict for an address that is taken.
    """
    user = _prepared(email, password, facts)
    with transaction.atomic():
        return _stored(actor, user)


def register(
    actor: Actor, email: str, password: str, invitation: str = "", **facts: Unpack[AccountFacts]
) -> login.Login:
    """Make an account for whoever asks, as far as REGISTRATION allows, and log them in.

    An invitation's code makes them a member as well. Raises Throttled before anything is hashed,
    Forbidden where nobody may register, InvitationInvalid, Invalid, or Conflict.
    """
    login.take_a_try(actor, email)
    _check_registration(login.account(email), invitation)
    user = _prepared(email, password, facts)
    person = Actor.person(user, actor.address, actor.client)
    with transaction.atomic():
        _stored(person, user)
        if invitation:
            redeem(person, invitation)
        return login.open_session(person, user)


def change_account(
    actor: Actor, user: User, password: str = "", **changes: Unpack[Changes]
) -> User:
    """Alter one's own names, or, with the password, the address that one logs in with.

    Raises Throttled, Forbidden for a wrong password, Invalid, or Conflict.
    """
    if "email" in changes:
        changes["email"] = login.account(changes["email"])
    if changes.get("email", user.email) != user.email:
        if not password:
            raise Invalid.at("/password", "is needed to change the e-mail address")
        login.confirm(actor, user, password)
    with transaction.atomic():
        current = login.held_as_checked(user)
        differences = alter(current, changes)
        if differences:
            save(current)
            _record("user_changed", actor, current, {"changes": differences})
    return current


def change_password(actor: Actor, user: User, token: AuthToken, old: str, new: str) -> None:
    """Set a new password; every device but the one with `token` has to log in again.

    Raises Throttled, Forbidden for a wrong old password, or Invalid for a weak new one.
    """
    login.confirm(actor, user, old)
    check_password_strength(new, user, "/new_password")
    hashed = make_password(new)
    with transaction.atomic():
        current = login.held_as_checked(user)
        ended = _rehashed(current, hashed, keep=token)
        _record("password_changed", actor, current, {"logins_ended": ended})


def reset_password(actor: Actor, email: str, password: str) -> User:
    """Set a new password for somebody who lost theirs; no device stays logged in.

    Raises Invalid for an address without an account, or a weak password.
    """
    user = User.objects.filter(email=login.account(email)).first()
    if user is None:
        raise Invalid.at("/email", "no account has this address")
    check_password_strength(password, user)
    hashed = make_password(password)
    with transaction.atomic():
        ended = _rehashed(user, hashed)
        _record("password_reset", actor, user, {"logins_ended": ended})
    return user


def check_password_strength(password: str, user: User, path: str = "/password") -> None:
    """Raise Invalid with every reason why the password is too easy; `path` is where it stood."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        faults: list[Fault] = [{"path": path, "message": reason} for reason in error.messages]
        raise Invalid(error.messages[0], faults) from None


def _check_registration(email: str, invitation: str) -> None:
    if settings.REGISTRATION == "closed":
        told = "Accounts are made by whoever runs this server."
        raise Forbidden(told, code="registration_closed")
    if invitation:
        check_invitation(invitation, email)
    elif settings.REGISTRATION == "invite":
        raise Invalid.at("/invitation", "is needed to make an account here")


def _prepared(email: str, password: str | None, facts: AccountFacts) -> User:
    """An account that is not stored yet: no transaction has to wait for the hashing."""
    user = User(email=login.account(email), **facts)
    if password is not None:
        check_password_strength(password, user)
    user.set_password(password)
    return user


def _stored(actor: Actor, user: User) -> User:
    save(user)
    _record("user_created", actor, user, {"email": user.email, "is_operator": user.is_operator})
    return user


def _rehashed(user: User, hashed: str, keep: AuthToken | None = None) -> int:
    """Store a new password and end all logins but one; returns how many that were."""
    user.password = hashed
    user.save(update_fields=["password"])
    ended, _ = AuthToken.objects.filter(user=user).exclude(pk=keep and keep.pk).delete()
    return int(ended)


def _record(event: EventType, actor: Actor, user: User, data: dict[str, JSON]) -> None:
    actions = {
        "user_created": "user.create",
        "user_changed": "user.change",
        "password_changed": "user.change_password",
        "password_reset": "user.reset_password",
    }
    target = f"user:{user.id}"
    record(event, actor=actor, organization=None, action=actions[event], target=target, data=data)
