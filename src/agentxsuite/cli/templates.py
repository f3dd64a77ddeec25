"""A client's command as a template of the server's operator: TOML, ready to be added.

What is started on the server's machine is for whoever runs it to say, never for a tenant.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from agentxsuite.cli.mcp_file import BLANK, SECRET, Command

USUAL: Final = ("/usr/local/bin", "/usr/bin", "/bin")  # where a started command looks by itself
HIDDEN: Final = "..."


def proposal(command: Command) -> str:
    """Return the template for somebody else to add: secrets and places are theirs to fill in."""
    hidden = {
        name: HIDDEN if SECRET.search(name) else value for name, value in fixed(command).items()
    }
    program = command.words[0]
    where = program if program.startswith("/") else f"/path/to/{Path(program).name}"
    return toml(replace(command, words=tuple(shown(command.words))), where, hidden)


def shown(words: Iterable[str]) -> Iterator[str]:
    """Yield a command's words for others to read: nothing that an option hands over as a secret.

    Variables stand there by their names, which are no secret: `--token=${TOKEN}`.
    """
    secret = False
    for word in words:
        option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        private = value and not BLANK.fullmatch(value)
        hidden = private and (secret or SECRET.search(option))
        yield option + equals + HIDDEN if hidden else word
        secret = bool(not value and SECRET.search(option))


def complete(command: Command) -> str:
    """Return the template for this machine; raises FileNotFoundError without that program."""
    command = command.filled()
    found = shutil.which(command.words[0])
    if found is None:
        raise FileNotFoundError(command.words[0])
    program = Path(found).absolute()  # not resolved: a link may be what makes it work
    folder = str(program.parent)
    path = {} if folder in USUAL else {"PATH": os.pathsep.join((folder, *USUAL))}
    cwd = command.cwd and str(Path(command.cwd).absolute())
    return toml(replace(command, cwd=cwd), str(program), {**path, **fixed(command)})


def fixed(command: Command) -> dict[str, str]:
    """Return the variables that are the template's own: all but the connection's secret."""
    return {name: value for name, value in command.env.items() if name != command.secret_variable}


def toml(command: Command, program: str, env: dict[str, str]) -> str:
    """Return the table of a template."""
    words = ", ".join(map(quoted, (program, *command.words[1:])))
    lines = [f"[{command.name}]", f"command = [{words}]"]
    if command.secret_variable:
        lines.append(f"secret_variable = {quoted(command.secret_variable)}")
    if command.cwd:
        lines.append(f"cwd = {quoted(command.cwd)}")
    if env:
        pairs = ", ".join(f"{quoted(name)} = {quoted(value)}" for name, value in env.items())
        lines.append(f"env = {{ {pairs} }}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's too, which has one more to escape."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
