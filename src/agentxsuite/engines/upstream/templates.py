"""The operator's command templates: the only commands that are ever run, and how they are filled.

A template is a table of a TOML file; a tenant chooses one by ``stdio://<template>?name=value`` and
fills its typed parameters. What is typed in stays inside one argument of a fixed argv; there is no
shell, and nothing of the server's own environment is passed on.

    [git]
    command = ["/opt/agentxsuite/bin/mcp-server-git", "--repository={repository}"]
    secret_variable = "GIT_TOKEN"
    [git.parameters.repository]
    type = "path"
    under = "/srv/repositories"
    [git.limits]
    memory_mib = 512
"""

import re
import tomllib
from pathlib import Path

import msgspec

from agentxsuite.engines.upstream.endpoint import Command
from agentxsuite.engines.upstream.errors import EndpointInvalid
from agentxsuite.engines.upstream.parameters import Parameter, accept

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Variables that change which code runs, rather than what it is told.
_LOADER = re.compile(r"LD_.*|DYLD_.*|PYTHON.*|NODE_.*|PERL5.*|RUBY.*|BASH_ENV|ENV|IFS|PATH|HOME")
_BLANK = re.compile(r"\{([a-z][a-z0-9_]*)\}\Z")


class TemplateInvalid(ValueError):
    """A template file that the operator must correct; the text names the template and the rule."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a process may take, in the units of the names; None leaves the system's own limit."""

    memory_mib: int | None = None
    cpu_seconds: int | None = None
    file_mib: int | None = None
    processes: int | None = None
    open_files: int = 1024


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command with its blanks.

    ``command`` is an argv whose first word is an absolute path; any other may end in one
    ``{parameter}``. ``secret_variable`` receives the connection's secret. Raises ValueError when
    it could be filled in any other way than meant.
    """

    name: str
    command: tuple[str, ...]
    parameters: dict[str, Parameter] = {}
    secret_variable: str | None = None
    env: dict[str, str] = {}
    cwd: str = "/"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Hold the rules above."""
        rules = {
            "name is not [a-z][a-z0-9_-]*": _NAME.fullmatch(self.name),
            "command does not begin with an absolute path": self.command[:1]
            and self.command[0].startswith("/")
            and "{" not in self.command[0],
            "cwd is not absolute": self.cwd.startswith("/"),
            "placeholders and parameters differ": self._blanks() == set(self.parameters),
            "secret_variable is no variable for a secret": self.secret_variable is None
            or (
                _VARIABLE.fullmatch(self.secret_variable)
                and not _LOADER.fullmatch(self.secret_variable)
            ),
        }
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"template {self.name!r}: {broken[0]}")

    def fill(self, command: Command) -> tuple[str, ...]:
        """The argv for an endpoint; raises EndpointInvalid."""
        given = dict(command.parameters)
        if len(given) < len(command.parameters) or not set(given) <= set(self.parameters):
            raise EndpointInvalid("endpoint_parameter", "A parameter is unknown or repeated.")
        values: dict[str, str] = {}
        for name, parameter in self.parameters.items():
            try:
                values[name] = accept(parameter, given.get(name))
            except ValueError as error:
                reason = f"The parameter {name} {error}."
                raise EndpointInvalid("endpoint_parameter", reason) from None
        return tuple(_BLANK.sub(lambda blank: values[blank[1]], word) for word in self.command)

    def environment(self, secret: str | None) -> dict[str, str]:
        """The whole environment of the process: a path, the template's own, the secret."""
        environment = {"PATH": DEFAULT_PATH, **self.env}
        if self.secret_variable is not None and secret is not None:
            environment[self.secret_variable] = secret
        return environment

    def _blanks(self) -> set[str]:
        return {blank[1] for word in self.command if (blank := _BLANK.search(word))}


def load_templates(path: Path) -> dict[str, Template]:
    """Read the operator's file; raises TemplateInvalid, OSError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        named = {name: {**table, "name": name} for name, table in tables.items()}
        return msgspec.convert(named, dict[str, Template])
    except (ValueError, TypeError) as error:
        raise TemplateInvalid(f"{path.name}: {error}") from None
