"""The first thing a newcomer runs: the demo, as a real process, from outside."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "demo"]
LONGEST = 240  # seconds that a demo may take on a busy machine
GONE = 30  # seconds after which none of its processes is left


@pytest.fixture
def demo():
    """A demo that would keep serving; nothing of it is left after the test."""
    environment = {**os.environ, "DEMO_EXIT": ""}
    with subprocess.Popen(
        DEMO, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.kill()


def read_until(demo, words):
    """Everything printed up to the line with the words; fails with all of it when none has them."""
    read = []
    for line in demo.stdout:
        read.append(line)
        if words in line:
            return read
    pytest.fail(f"no line with {words!r}:\n{''.join(read)}")


def test_the_demo_plays_every_step_and_ends_with_ok():
    """A newcomer's first command fails, or claims what did not happen."""
    environment = {**os.environ, "DEMO_EXIT": "1"}
    done = subprocess.run(
        DEMO,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "demo: ok"
    assert "\x1b" not in done.stdout, "colours are for terminals"


def test_the_lines_to_paste_work_and_nothing_outlives_a_killed_demo(demo):
    """A newcomer pastes a line that fails, or servers stay behind and hold their ports."""
    told = read_until(demo, "Ctrl-C stops everything")
    curl = shlex.split(next(line for line in told if line.startswith("curl ")))
    headers = dict(curl[at + 1].split(": ", 1) for at, word in enumerate(curl) if word == "-H")
    answer = httpx2.post(curl[2], headers=headers, content=curl[-1], trust_env=False)
    assert answer.status_code == 201, answer.text
    assert json.loads(answer.content)["status"] == "succeeded"

    children = psutil.Process(demo.pid).children(recursive=True)
    assert len(children) >= 3, "a guard, the payments system and the server"
    demo.kill()
    _, left = psutil.wait_procs(children, timeout=GONE)
    assert left == []


def test_ctrl_c_stops_a_demo_that_is_still_preparing(demo):
    """Whoever changes their mind has to look for leftover servers and kill them."""
    read_until(demo, "agentxsuite migrate")
    children = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(LONGEST) == 130
    _, left = psutil.wait_procs(children, timeout=GONE)
    assert left == []
