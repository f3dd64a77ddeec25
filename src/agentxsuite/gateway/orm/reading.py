"""What must be read anew for every call: a revision, and whether a token still stands."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from agentxsuite.gateway.facts import Proof
from agentxsuite.gateway.gate import Question


class ReadFailed(Exception):
    """The database did not answer."""


class Reading(Struct, frozen=True):
    """One question's answer: ``revision`` is None for an environment the organization has not."""

    revision: int | None
    token_live: bool
    user: str | None


class Reader(Protocol):
    """Reads the database as it is after the question was asked."""

    async def read(self, question: Question) -> Reading:
        """Answer one question; raises ReadFailed."""
        ...

    async def environments(
        self, organization: str, name: str | None, agent: str | None
    ) -> Sequence[str]:
        """Ids of live environments by their id or name, or by an agent's id or slug."""
        ...

    async def homes(self, organization: str, proof: Proof) -> Sequence[str]:
        """Ids of the environments with an agent that the proof may be of; raises ReadFailed."""
        ...

    async def aclose(self) -> None:
        """Let go of the database."""
        ...
