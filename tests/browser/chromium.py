"""Debian's Chromium, for these tests; ``python -m tests.browser.chromium`` installs it."""

import os
import shutil
import subprocess
import sys

EXECUTABLE = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def is_there() -> bool:
    """Whether the browser is installed."""
    return shutil.which(EXECUTABLE) is not None


def install() -> int:
    """Install it where it is missing; returns the exit status of apt."""
    if is_there():
        return 0
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *words], env=quiet, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(install())
