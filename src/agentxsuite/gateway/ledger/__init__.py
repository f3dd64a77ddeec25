"""The record of calls, written in groups: durable before anybody is answered."""

from agentxsuite.gateway.ledger.group import GroupCommit
from agentxsuite.gateway.ledger.postgres import PostgresWriter
from agentxsuite.gateway.ledger.sqlite import SqliteWriter

__all__ = ["GroupCommit", "PostgresWriter", "SqliteWriter"]
