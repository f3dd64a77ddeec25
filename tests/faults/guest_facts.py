"""Who `tests.faults.guest` has made."""

import msgspec


class Guest(msgspec.Struct, frozen=True):
    """The agent by id, its token and that token's id; the login of a person who may change it."""

    agent: str
    token: str
    jti: str
    login: str
