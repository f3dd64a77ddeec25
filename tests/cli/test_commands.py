"""Every command: described, scriptable, and quick to start."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agentxsuite.project import main

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
OPERATING = {"serve", "migrate", "createuser", "resetpassword", "retain"}
OPERATING |= {"createkeys", "rotatekeys"}


def commands(app, before=()):
    """Every command of an app, with its words."""
    found = typer.main.get_command(app)
    for name, inner in found.commands.items():
        if hasattr(inner, "commands"):
            for each, command in inner.commands.items():
                yield (*before, name, each), command
        else:
            yield (*before, name), inner


COMMANDS = dict(commands(main.app))
CLIENT = [words for words in COMMANDS if words[0] not in OPERATING | {"templates"}]


def test_the_page_lists_the_commands_there_are():
    """Otherwise: a reader types a command that is not there, or never hears of one that is."""
    listed = {tuple(each.split()) for each in re.findall(r"(?m)^### `([a-z ]+)`$", PAGE)}
    assert listed == set(COMMANDS)


def test_the_page_names_every_option():
    """Otherwise: an option can be found only by trying."""
    for words, command in COMMANDS.items():
        section = PAGE.split(f"### `{' '.join(words)}`")[1].split("\n##")[0]
        for option in command.params:
            name = max(option.opts, key=len)
            if name.startswith("--") and name not in {
                "--help",
                "--json",
                "--server",
                "--org",
                "--env",
            }:
                assert f"`{name}" in section, (words, name)


@pytest.mark.parametrize("words", CLIENT, ids=" ".join)
def test_every_client_command_takes_json_and_a_server(words):
    """Otherwise: a script has to read tables, or cannot say which server."""
    options = {name for each in COMMANDS[words].params for name in each.opts}
    assert {"--json", "--server"} <= options
    assert COMMANDS[words].help


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_every_command_explains_itself(words):
    """Otherwise: --help is a stack trace."""
    assert CliRunner().invoke(main.app, [*words, "--help"]).exit_code == 0


def test_a_client_command_loads_no_server():
    """Otherwise: every command of a client waits for Django, whose settings it does not have."""
    program = "import sys; from agentxsuite.project import main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    names = set(loaded.stdout.split())
    assert not {"django", "agentxsuite.control", "agentxsuite.gateway", "httpx2"} & names


def test_a_shell_completes_commands():
    """Otherwise: the longest names have to be typed."""
    done = subprocess.run(
        [sys.executable, "-c", "from agentxsuite.project.main import main; main()"],
        env={
            "_AGENTXSUITE_COMPLETE": "complete_bash",
            "COMP_WORDS": "agentxsuite conn",
            "COMP_CWORD": "1",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert "connections" in done.stdout, done.stderr
