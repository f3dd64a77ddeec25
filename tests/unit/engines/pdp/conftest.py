"""Every test starts without what another left in a cache."""

import pytest

from agentxsuite.engines.pdp import paths, patterns, targets

CACHES = (
    paths._parsed,
    patterns.parse_target,
    targets._remembered,
    targets.covering_actions,
)


@pytest.fixture(autouse=True)
def _empty_caches():
    for cache in CACHES:
        cache.cache_clear()
