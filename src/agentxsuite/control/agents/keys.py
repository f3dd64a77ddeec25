"""The keys that sign agents' tokens: one file, named by the setting TOKEN_KEYS."""

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agentxsuite.engines.tokens import KeyFileInvalid, KeyRing


def key_ring() -> KeyRing:
    """Return the keys; the embedded default makes them at first use, in a file of mode 0600.

    Raises ImproperlyConfigured, in one line, for a file that is missing or must not be used.
    """
    path = settings.TOKEN_KEYS
    if settings.EMBEDDED and not path.exists():
        with suppress(FileExistsError):  # another process was faster
            KeyRing.create(path)
    try:
        return KeyRing.load(path)
    except FileNotFoundError:
        raise ImproperlyConfigured(f"TOKEN_KEYS: there is no file {path}.") from None
    except KeyFileInvalid as error:
        raise ImproperlyConfigured(f"TOKEN_KEYS: {error}.") from None
