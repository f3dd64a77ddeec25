"""The database is what the models say."""

import os
import subprocess
import sys
from collections.abc import Iterator

from tests.house.tree import Tree

COMMAND = ("-m", "django", "makemigrations", "--check", "--dry-run")


def packages(tree: Tree) -> Iterator[str]:
    """Models without a package of migrations, which Django would not even look at."""
    for name in tree.names:
        if name.startswith("src/") and name.endswith("/models.py"):
            package = name.replace("models.py", "migrations/__init__.py")
            if package not in tree.names:
                yield f"{name}: no migrations beside it"


def missing(tree: Tree) -> Iterator[str]:
    """A model changed without a migration."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "agentxsuite.project.settings",
        "PYTHONPATH": str(tree.root / "src"),
    }
    done = subprocess.run(
        [sys.executable, *COMMAND],
        cwd=tree.root,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stdout.strip() or done.stderr.strip()).splitlines()
        yield f"makemigrations --check: {' '.join(said[-3:])}"
