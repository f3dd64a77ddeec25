"""A small git repository with a history, for the git server to work on."""

import os
import subprocess
from pathlib import Path

from demo.expectation import Unexpected

COMMITS = (
    ("README.md", "# Shop\nSells tea.\n", "Open the shop"),
    ("prices.csv", "tea,cents\nassam,450\nsencha,620\n", "Put prices on the tea"),
    ("prices.csv", "tea,cents\nassam,450\nsencha,590\n", "Make the sencha cheaper"),
)


def make_repository(path: Path) -> None:
    """Make a repository of three commits, the same ones every time."""
    path.mkdir()
    git(path, 0, "init", "--quiet")
    git(path, 0, "symbolic-ref", "HEAD", "refs/heads/main")
    for day, (name, content, message) in enumerate(COMMITS, start=1):
        (path / name).write_text(content)
        git(path, day, "add", name)
        git(path, day, "commit", "--quiet", f"--message={message}")


def git(path: Path, day: int, *words: str) -> None:
    """Run git without the reader's own configuration; raises Unexpected when it fails."""
    date = f"2026-03-{day:02} 09:00:00 +0000"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(path),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_NAME": "Ada Shopkeeper" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "ada@shop.example" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_DATE": date for role in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(  # noqa: S603  -- fixed words
        ["git", *words],  # noqa: S607  -- the reader's own git
        cwd=path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Unexpected(f"git {words[0]}: expected status 0, got {done.stdout}{done.stderr}")
