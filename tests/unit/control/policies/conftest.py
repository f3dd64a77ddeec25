"""The cast, for the tests beside this file."""

from tests.cast import (  # noqa: F401  # fixtures are asked for by name
    acme,
    actor,
    alice,
    dev,
    globex,
    globex_prod,
    master_keys,
    prod,
)
