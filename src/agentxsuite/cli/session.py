"""What every command needs to know: which server, as whom, and where."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentxsuite.cli import names
from agentxsuite.cli.failures import Misused, NotLoggedIn
from agentxsuite.cli.logins import Login, Logins, server_address
from agentxsuite.cli.rows import Row

if TYPE_CHECKING:
    from agentxsuite.cli.client import Api


class Session:
    """One command's view of one server; what it does not need, it does not ask for."""

    def __init__(
        self, server: str | None = None, organization: str | None = None, place: str | None = None
    ) -> None:
        self.logins = Logins.of_this_person()
        self.server = server_address(server or self.logins.current)
        self._organization, self._environment = organization, place
        self._open: list[Api] = []

    @cached_property
    def login(self) -> Login:
        """The login to the server; raises NotLoggedIn."""
        found = self.logins.find(self.server)
        if found is None:
            raise NotLoggedIn(f"there is no login to {self.server}", self.server)
        return found

    @cached_property
    def api(self) -> "Api":
        """The server, asked with that login."""
        return self.asking(self.login.token)

    def asking(self, token: str | None = None) -> "Api":
        """Return the server, asked with a token or as nobody."""
        from agentxsuite.cli.client import Api  # noqa: PLC0415 - help and completion need none

        made = Api(self.server, token)
        self._open.append(made)
        return made

    @cached_property
    def me(self) -> Row:
        """The person, and their organizations."""
        return dict(self.api.get("auth/me/"))

    @cached_property
    def organization(self) -> str:
        """The id of the organization: the one named, the one chosen, or the only one."""
        named = self._organization or self.login.organization
        if named and names.is_id(named):
            return named
        mine = self.me["organizations"]
        if named:
            return str(names.pick(mine, named, "organization", "name")["id"])
        if not mine:
            raise Misused("you are in no organization yet", "agentxsuite orgs create NAME")
        return str(names.only(mine, "organization", "--org NAME, or: agentxsuite use ORG")["id"])

    @cached_property
    def environment(self) -> str:
        """The id of the environment: the one named, the one chosen, or the only one."""
        named = self._environment or self._chosen
        if named and names.is_id(named):
            return named
        there = self.api.every(self.of("environments/"))
        if named:
            return str(names.pick(there, named, "environment", "name")["id"])
        if not there:
            raise Misused("there is no environment yet", "agentxsuite envs create dev")
        return str(
            names.only(there, "environment", "--env NAME, or: agentxsuite use ORG/ENV")["id"]
        )

    @property
    def narrowed(self) -> str | None:
        """The environment that a list is narrowed to: the one named or chosen; else all."""
        return self.environment if self._environment or self._chosen else None

    def of(self, path: str) -> str:
        """Return a path below the organization's."""
        return f"orgs/{self.organization}/{path}"

    def close(self) -> None:
        """Let go of the connections that were made."""
        for each in self._open:
            each.close()

    @property
    def _chosen(self) -> str:
        """The environment chosen by `use`, which belongs to the organization chosen with it."""
        return "" if self._organization else self.login.environment

    def get(self, path: str, **filters: Any) -> Any:
        """Read one thing of the organization."""
        return self.api.get(self.of(path), **filters)

    def every(self, path: str, most: int | None = None, **filters: Any) -> list[Row]:
        """Read a list of the organization."""
        return self.api.every(self.of(path), most, **filters)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        """Make or do something in the organization."""
        return self.api.post(self.of(path), body, **how)

    def patch(self, path: str, body: Any) -> Any:
        """Change something in the organization."""
        return self.api.patch(self.of(path), body)
