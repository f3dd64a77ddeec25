"""What a person lent us, as its row keeps it: sealed for organization, connection and person."""

from typing import Final, NamedTuple

from agentxsuite import wire
from agentxsuite.control.catalog.models import Account
from agentxsuite.control.secretstore import boxes
from agentxsuite.control.secretstore.boxes import AccountPlace
from agentxsuite.control.secretstore.resealing import Drawer
from agentxsuite.engines.upstream import Lent


class Loan(NamedTuple):
    """Access, and the authorization server that lent it; empty where its addresses were given."""

    lent: Lent
    issuer: str


def keep(account: Account, loan: Loan) -> None:
    """Seal a loan into its row, which is not saved yet; raises SecretsUnavailable."""
    lent, issuer = loan
    text = wire.dumps([lent.access, lent.until, lent.refresh, issuer]).decode()
    account.data_key, account.sealed = boxes.put(place_of(account), text)


def kept(account: Account) -> Loan:
    """Return what a row keeps; raises SecretsUnavailable."""
    text = boxes.take(place_of(account), account.data_key, bytes(account.sealed))
    access, until, refresh, issuer = wire.loads(text.encode())
    return Loan(Lent(access, float(until), refresh), issuer)


def place_of(account: Account) -> AccountPlace:
    """Return where what a row keeps belongs."""
    return AccountPlace(
        account.organization_id, account.environment_id, account.connection_id, account.user_id
    )


ACCOUNTS: Final = Drawer(Account, "sealed", place_of)
