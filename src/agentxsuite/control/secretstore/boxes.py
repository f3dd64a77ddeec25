"""Secrets that are not in the list of secrets: each is sealed for one row, and opens nowhere else.

They have no ref, so that nobody can name one in a connection of theirs.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from agentxsuite import wire
from agentxsuite.control.secretstore import datakeys
from agentxsuite.control.secretstore.crypto import CannotOpen, seal, unseal
from agentxsuite.control.secretstore.keys import KeysUnavailable
from agentxsuite.control.secretstore.models import DataKey
from agentxsuite.control.secretstore.services import SecretsUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """The account of one person at one connection's server."""

    organization: UUID
    environment: UUID
    connection: UUID
    user: UUID

    def bound(self) -> bytes:
        """Return the one spelling of the place."""
        ids = (self.organization, self.environment, self.connection, self.user)
        return wire.dumps(["account", *map(str, ids)])


def put(place: AccountPlace, value: str) -> tuple[DataKey, bytes]:
    """Seal a value for its place, with the organization's key; raises SecretsUnavailable."""
    try:
        row, key = datakeys.current(place.organization, datakeys.master_keys())
    except (CannotOpen, KeysUnavailable) as error:
        log.critical("no account can be stored: %s", error)
        raise SecretsUnavailable from None
    return row, seal(key, value.encode(), place)


def take(place: AccountPlace, row: DataKey, sealed: bytes) -> str:
    """Open a value at its place; raises SecretsUnavailable."""
    try:
        return unseal(datakeys.opened(row, datakeys.master_keys()), sealed, place).decode()
    except (CannotOpen, KeysUnavailable) as error:
        log.critical("an account cannot be used: %s", error)
        raise SecretsUnavailable from None
