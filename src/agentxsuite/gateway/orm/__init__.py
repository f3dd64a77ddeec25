"""The directory: facts from the database, as fresh as the question."""

from agentxsuite.gateway.orm.directory import FreshDirectory
from agentxsuite.gateway.orm.postgres import PostgresReader
from agentxsuite.gateway.orm.sqlite import SqliteReader

__all__ = ["FreshDirectory", "PostgresReader", "SqliteReader"]
