"""What callers were answered under a key, kept for a day: one row for each key.

Whose keys they are is a wall of its own: on PostgreSQL a transaction sees those of one caller.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from agentxsuite import wire
from agentxsuite.control.problems import AlreadyCreated, InFlight, KeyReused
from agentxsuite.control.tenancy.access import SUFFICES
from agentxsuite.control.tenancy.models import KeptAnswer, Role
from agentxsuite.control.tenancy.scope import seeing_only
from agentxsuite.wire import JSON

KEPT_FOR: Final = timedelta(hours=24)
ABANDONED: Final = timedelta(minutes=15)  # longer than any action: whoever began it has died
LONGEST: Final = 64 * 1024  # bytes of an answer that is kept; of a longer one only the id
TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock(%s)"


class ToldAgain(Exception):
    """No refusal: the request was answered before, and this was the answer."""

    def __init__(self, status: int, body: JSON) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def reserve(wanted: KeptAnswer) -> KeptAnswer:
    """Store the row of a key that is free; until it is settled, the key is in use.

    Raises ToldAgain, or InFlight, KeyReused or AlreadyCreated.
    """
    with _keys_of(wanted.holder):
        if not _locked(wanted):
            raise InFlight
        key = {"holder": wanted.holder, "address": wanted.address, "key": wanted.key}
        there = KeptAnswer.objects.filter(**key).first()
        if there is not None and not _is_past(there):
            raise _outcome(there, wanted)
        if there is not None:
            there.delete()
        wanted.save(force_insert=True)
    return wanted


def settle(row: KeptAnswer, status: int, data: JSON, made: str, *, secret: bool) -> None:
    """Keep what was answered; of a `secret` or a long answer only that and what was made."""
    body: bytes = b"" if secret else JSONRenderer().render(data)
    row.status, row.made = status, made
    row.body = body.decode() if not secret and len(body) <= LONGEST else None
    with _keys_of(row.holder):
        row.save(force_update=True)


def forget(row: KeptAnswer) -> None:
    """Make a key free again: nothing was done."""
    with _keys_of(row.holder):
        row.delete()


def _outcome(there: KeptAnswer, wanted: KeptAnswer) -> Exception:
    """What a request is told whose key has been used."""
    if there.digest != wanted.digest:
        return KeyReused()
    if there.status is None:
        return InFlight()
    if there.body is None or not _may_still(there.rights, wanted.rights):
        return AlreadyCreated(there.made)
    return ToldAgain(there.status, wire.loads(there.body.encode()) if there.body else None)


def _may_still(then: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a caller has every right that they had; with fewer, they may not see it again."""
    return all(
        place in now and Role(now[place]) in SUFFICES[Role(role)] for place, role in then.items()
    )


def _is_past(row: KeptAnswer) -> bool:
    age = timezone.now() - row.created_at
    return age > (ABANDONED if row.status is None else KEPT_FOR)


def _locked(row: KeptAnswer) -> bool:
    """Take the key for this transaction; on SQLite the transaction is alone as it is."""
    if connection.vendor != "postgresql":
        return True
    whole = sha256(f"{row.holder} {row.address} {row.key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(TRY_LOCK, [int.from_bytes(whole[:8], signed=True)])
        return bool(cursor.fetchone()[0])


@contextmanager
def _keys_of(holder: UUID) -> Iterator[Any]:
    with transaction.atomic(), seeing_only(holder):
        yield
