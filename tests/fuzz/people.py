"""A program: makes the keys and the people of a run in the database of the settings."""

import django

django.setup()

from agentxsuite.control.audit.services import Actor  # noqa: E402 - only after set-up
from agentxsuite.control.tenancy.services import create_user  # noqa: E402 - as above
from benchmarks.tenant import make_keys  # noqa: E402 - as above
from tests.fuzz.stage import PASSWORD, PEOPLE, email  # noqa: E402 - as above

if __name__ == "__main__":
    make_keys()
    for each in PEOPLE:
        create_user(Actor("client:fuzz"), email(each), PASSWORD, is_operator=each == "operator")
