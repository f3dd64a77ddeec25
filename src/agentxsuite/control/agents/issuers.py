"""The outside issuers that the operator trusts: one file, named by the setting TRUSTED_ISSUERS."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agentxsuite.engines.tokens import Issuers, IssuersInvalid, load_issuers
from agentxsuite.wire import JSON


def trusted_issuers() -> Issuers:
    """Return them by the name in their tokens; none where the setting is empty.

    Raises ImproperlyConfigured, in one line, for a file that is missing or must be corrected.
    """
    if not settings.TRUSTED_ISSUERS:
        return {}
    path = Path(settings.TRUSTED_ISSUERS)
    try:
        return load_issuers(path, settings.PUBLIC_URL)
    except IssuersInvalid as error:
        raise ImproperlyConfigured(f"TRUSTED_ISSUERS: {error}.") from None
    except OSError as error:
        raise ImproperlyConfigured(f"TRUSTED_ISSUERS: {path}: {error.strerror}.") from None


def described_issuers() -> list[dict[str, JSON]]:
    """What an operator may see of them; nothing of it is secret."""
    return [
        {
            "name": issuer.name,
            "issuer": issuer.issuer,
            "algorithms": sorted(issuer.algorithms),
            "jwks_uri": issuer.jwks_uri or None,
            "leeway_seconds": issuer.leeway_seconds,
            "max_lifetime_seconds": issuer.max_lifetime_seconds,
            "organizations": sorted(issuer.organizations),
        }
        for issuer in trusted_issuers().values()
    ]
