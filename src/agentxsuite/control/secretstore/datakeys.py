"""The data keys: one current per organization, kept in the database but wrapped."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from agentxsuite.control.secretstore.crypto import DataKeyPlace, new_key, seal, unseal
from agentxsuite.control.secretstore.keys import KeysUnavailable, MasterKeys
from agentxsuite.control.secretstore.models import DataKey


def master_keys() -> MasterKeys:
    """Return the operator's keys; the embedded default makes them at first use.

    Raises KeysUnavailable, also where the file is gone although something was wrapped with it: a
    new one would hide the loss until every old secret was asked for.
    """
    path: Path | str = settings.SECRET_KEYS
    if isinstance(path, Path) and _may_be_made(path):
        try:
            return MasterKeys.create(path)
        except FileExistsError:  # another process was first
            pass
        except OSError as error:
            raise KeysUnavailable(f"{path}: {error.strerror}") from None
    return MasterKeys.load(path)


def _may_be_made(path: Path) -> bool:
    return settings.EMBEDDED and not path.exists() and not DataKey.objects.exists()


def current(organization: UUID, masters: MasterKeys) -> tuple[DataKey, bytes]:
    """Return the key that encrypts now, row and plain, made where there is none yet.

    Raises KeysUnavailable, CannotOpen.
    """
    stored = _newest(organization)
    if stored is None:
        stored = made(organization, 1, masters)
    return stored, opened(stored, masters)


def opened(stored: DataKey, masters: MasterKeys) -> bytes:
    """Unwrap a data key; raises KeysUnavailable, CannotOpen."""
    wrapper = masters.find(stored.wrapped_by)
    return unseal(wrapper.raw, bytes(stored.wrapped), _place(stored))


def _newest(organization: UUID) -> DataKey | None:
    keys = DataKey.objects.filter(organization=organization, retired_at=None)
    return keys.order_by("-number").first()


def made(organization: UUID, number: int, masters: MasterKeys) -> DataKey:
    """Make a key under its number; where another one is faster, that one's counts."""
    stored = DataKey(organization_id=organization, number=number)
    wrap(stored, new_key(), masters)
    try:
        with transaction.atomic():
            stored.save(force_insert=True)
    except IntegrityError:
        return DataKey.objects.get(organization=organization, number=number)
    return stored


def wrap(stored: DataKey, plain: bytes, masters: MasterKeys) -> None:
    """Wrap a data key, in its row, with the first of the operator's keys."""
    wrapper = masters.wrapping
    stored.wrapped_by = wrapper.id
    stored.wrapped = seal(wrapper.raw, plain, _place(stored))


def _place(stored: DataKey) -> DataKeyPlace:
    return DataKeyPlace(stored.organization_id, stored.number, stored.wrapped_by)
