"""How a function becomes a command: its options, its session, and what it prints.

A command is a function of a Session and of what is typed; it returns an Answer or raises a Failure.
Options come as dataclasses: each field of one is an option. Those that say where to act (`Place`)
are added to every command, and are gone by the time the function is called.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_type_hints

import typer

from agentxsuite.cli.failures import Failure
from agentxsuite.cli.output import Answer, show, show_failure
from agentxsuite.cli.session import Session

Command = Callable[..., Answer]
Words = dict[str, Any]
PLACE = "where to act"


@dataclass(frozen=True, slots=True)
class Server:
    """Options of a command about a server."""

    server: Annotated[
        str | None,
        typer.Option(
            help="the server's address; by default the one logged in to last",
            envvar="AGENTXSUITE_SERVER",
            rich_help_panel=PLACE,
        ),
    ] = None
    as_json: Annotated[
        bool, typer.Option("--json", help="print one JSON document, for programs")
    ] = False

    def session(self) -> Session:
        """Return the session that these options ask for."""
        return Session(self.server)


@dataclass(frozen=True, slots=True)
class InOrganization(Server):
    """Options of a command about something in an organization."""

    org: Annotated[
        str | None, typer.Option(help="the organization, by name or id", rich_help_panel=PLACE)
    ] = None

    def session(self) -> Session:
        """Return the session that these options ask for."""
        return Session(self.server, self.org)


@dataclass(frozen=True, slots=True)
class InEnvironment(InOrganization):
    """Options of a command about something in an environment."""

    env: Annotated[
        str | None, typer.Option(help="the environment, by name or id", rich_help_panel=PLACE)
    ] = None

    def session(self) -> Session:
        """Return the session that these options ask for."""
        return Session(self.server, self.org, self.env)


def command(
    group: typer.Typer, name: str, place: type[Server] = InEnvironment, panel: str | None = None
) -> Callable[[Command], Command]:
    """Add a function to a group of commands, by this name."""

    def add(function: Command) -> Command:
        takes = dict(list(signature(function).parameters.items())[1:])  # the first is the session
        hints = get_type_hints(function, include_extras=True)
        shapes = {key: hints[key] for key in takes if is_dataclass(hints[key])}

        @wraps(function)
        def run(**words: Any) -> None:
            where = taken(place, words)
            said = {key: taken(shape, words) for key, shape in shapes.items()}
            perform(where, lambda session: function(session, **said, **words))

        options = [*_own(takes, hints, shapes), *_parameters(place)]
        vars(run)["__signature__"] = Signature(options)
        run.__annotations__ = {each.name: each.annotation for each in options}
        group.command(name, rich_help_panel=panel)(run)
        return function

    return add


def perform(where: Server, function: Callable[[Session], Answer]) -> None:
    """Run a command and print its answer; whatever goes wrong is told, and is an exit status."""
    session = None
    try:
        session = where.session()
        answer = function(session)
    except Failure as failure:
        show_failure(failure, as_json=where.as_json)
        raise typer.Exit(failure.status) from None
    finally:
        if session is not None:
            session.close()
    show(answer, as_json=where.as_json)
    if answer.failed:
        raise typer.Exit(1)


def taken(shape: type[Any], words: Words) -> Any:
    """Take the words of a dataclass out of all that were typed, and make it."""
    return shape(**{field.name: words.pop(field.name) for field in fields(shape)})


def _own(takes: dict[str, Parameter], hints: Words, shapes: Words) -> Iterator[Parameter]:
    for key, parameter in takes.items():
        if key in shapes:
            yield from _parameters(shapes[key])
        else:
            yield Parameter(
                key, Parameter.KEYWORD_ONLY, default=parameter.default, annotation=hints[key]
            )


def _parameters(shape: type[Any]) -> Iterator[Parameter]:
    hints = get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        yield Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=hints[field.name],
        )


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return Parameter.empty if field.default is MISSING else field.default
