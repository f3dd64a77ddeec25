"""README's first page, played as it stands: every command typed there, on an empty machine."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
SECTION = "## From nothing to a governed call"
MOST = 6  # commands from an empty installation to the first governed call
PASSWORD = "correct horse battery staple"
LONGEST = 120  # seconds for one command on a busy machine


def shown(language):
    """The blocks of that language in README's first section."""
    section = README.read_text().split(SECTION)[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


class Shell:
    """An empty machine: nobody's files, a free port, and the commands of this installation."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        here = Path(sys.executable).parent
        address = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = {
            "PATH": os.pathsep.join([str(here), os.environ["PATH"]]),
            "HOME": str(folder),
            "PORT": str(port),
            "PUBLIC_URL": address,
            "AGENTXSUITE_SERVER": address,
        }
        self._left = []

    def type(self, line, typed=PASSWORD):
        """Type a line; what ends in `&` goes on, and says nothing."""
        words = shlex.split(line)
        if words[-1] == "&":
            with (self._folder / "log").open("w") as log:
                self._left.append(self._start(words[:-1], stdin=subprocess.DEVNULL, stdout=log))
            return subprocess.CompletedProcess(words, 0, "", "")
        with self._start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            out, err = process.communicate(f"{typed}\n", timeout=LONGEST)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def close(self):
        """Stop what goes on."""
        for process in self._left:
            process.send_signal(signal.SIGTERM)
            process.wait(LONGEST)

    def _start(self, words, **streams):
        return subprocess.Popen(
            words,
            cwd=self._folder,
            env=self._environment,
            stderr=subprocess.PIPE if streams["stdout"] == subprocess.PIPE else subprocess.STDOUT,
            text=True,
            **streams,
        )


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def test_readme_leads_from_nothing_to_a_governed_call(shell, tmp_path):
    """Otherwise: a newcomer types what README says, and it does not work, or takes longer."""
    (mcp_json,) = shown("json")
    (block,) = shown("sh")
    commands = block.strip().splitlines()
    assert len(commands) <= MOST
    (tmp_path / "mcp.json").write_text(mcp_json)
    done = [shell.type(line) for line in commands]
    assert [each.returncode for each in done] == [0] * len(commands), done
    told = json.loads(done[-1].stdout)
    assert told["source"]["timezone"] == "Asia/Tokyo"
    assert told["time_difference"] == "-3.5h"

    listed = json.loads(shell.type("agentxsuite runs list --json").stdout)
    assert [(run["tool_name"], run["status"]) for run in listed] == [
        ("time/convert_time", "succeeded")
    ], "it was governed: it is on record"

    refused = shell.type("agentxsuite call time/get_current_time --agent clerk timezone=UTC")
    assert refused.returncode == 1, "nothing is allowed unless said"
    hint = re.search(r"agentxsuite policies allow .*", refused.stderr)
    assert hint, refused.stderr
    assert shell.type(hint[0]).returncode == 0
    again = shell.type("agentxsuite call time/get_current_time --agent clerk timezone=UTC")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["timezone"] == "UTC"
