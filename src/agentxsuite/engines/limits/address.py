"""Where Redis is: what a ``redis://``, ``rediss://`` or ``unix://`` address says."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

PORT = 6379
OPTIONS = frozenset({"db", "ssl_ca_certs"})

P = TypeVar("P", bound=asyncio.BaseProtocol)


@dataclass(frozen=True, slots=True)
class Address:
    """A Redis server, its database and login. ``socket`` wins over host and port."""

    host: str = "localhost"
    port: int = PORT
    socket: str = ""
    database: int = 0
    login: tuple[str, ...] = field(default=(), repr=False)  # AUTH's arguments
    tls: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``redis[s]://[[user]:password@]host[:port][/db]`` or ``unix://[...@]/socket[?db=]``.

        ``rediss`` verifies the server's certificate, against ``?ssl_ca_certs=<file>`` if given.
        Raises ValueError, whose text shows no password.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if parts.scheme not in {"redis", "rediss", "unix"} or options.keys() - OPTIONS:
            raise ValueError(f"not redis://, rediss:// or unix:// with options {sorted(OPTIONS)}")
        local = parts.scheme == "unix"
        database = options.get("db") or ("" if local else parts.path.strip("/")) or "0"
        if not database.isdecimal():
            raise ValueError("the database of a Redis address is a number")
        host = parts.hostname or "localhost"
        host.encode("idna")  # a name that cannot be looked up is refused here, not on every attempt
        return cls(
            host=host,
            port=parts.port or PORT,
            socket=unquote(parts.path) if local else "",
            database=int(database),
            login=tuple(unquote(part) for part in (parts.username, parts.password) if part),
            tls=_trust(options.get("ssl_ca_certs")) if parts.scheme == "rediss" else None,
        )

    def greeting(self) -> list[tuple[str, ...]]:
        """The first commands on a connection; answered, they prove that Redis is there."""
        login = [("AUTH", *self.login)] if self.login else []
        return [*login, ("SELECT", str(self.database))]

    async def connect(self, protocol: Callable[[], P]) -> P:
        """Open a connection; raises OSError (TLS failures are one)."""
        loop = asyncio.get_running_loop()
        if self.socket:
            _, made = await loop.create_unix_connection(protocol, self.socket)
        else:
            _, made = await loop.create_connection(protocol, self.host, self.port, ssl=self.tls)
        return made


def _trust(authorities: str | None) -> ssl.SSLContext:
    """Verify certificate and host name, by the given file of authorities or the system's."""
    return ssl.create_default_context(cafile=authorities)
