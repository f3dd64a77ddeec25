"""Mutation testing of the decision engine: `python -m tests.unit.engines.pdp.mutants`.

It changes the engine in every small way that mutmut knows and runs the quick tests against each
change. A change that no test notices must stand in `mutants.txt`, with the reason why it changes
nothing. Refusals' sentences are left alone: their codes are tested, their wording is free.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[4]
EQUIVALENT = Path(__file__).with_name("mutants.txt")
MOST = 20
MEMORY = 1 << 30  # bytes: a change that makes a loop endless must not eat the machine
PARTS = (
    "src/agentxsuite/__init__.py",
    "src/agentxsuite/wire.py",
    "src/agentxsuite/engines/__init__.py",
    "src/agentxsuite/engines/pdp",
    "tests/__init__.py",
    "tests/unit/engines/pdp",
    "tests/decisions",
)
# Random examples take seconds a mutant and find nothing here that the written ones do not.
SLOW = ("test_properties.py", "test_cedar.py", "test_reference.py")
UNNOTICED = (": survived", ": no tests", ": suspicious", ": skipped")
CONFIGURATION = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/agentxsuite/engines/pdp/*"]
also_copy = ["tests"]
do_not_mutate_patterns = ['raise \\w+\\(', 'report\\.add\\(']
pytest_add_cli_args_test_selection = ["tests/unit/engines/pdp"]
pytest_add_cli_args = {
    ["-x", "-p", "no:django", "-p", "no:cacheprovider"]
    + [f"--ignore=tests/unit/engines/pdp/{name}" for name in SLOW]
}
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
pythonpath = ["."]
"""


def main() -> int:
    """Return 0 if exactly the mutants of `mutants.txt` survive."""
    reasons = dict(_reasons())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        survivors = _survivors(Path(folder))
    report = [
        *(f"survived without a reason: {change}" for change in sorted(survivors - reasons.keys())),
        *(f"noticed or gone: {change}" for change in sorted(reasons.keys() - survivors)),
        f"mutants: {len(survivors)} survive, {len(reasons)} have a reason, at most {MOST}",
    ]
    print("\n".join(report))  # noqa: T201 - a program's result
    return int(survivors != reasons.keys() or len(reasons) > MOST)


def _reasons():
    """Pairs of a change and why it changes nothing."""
    for line in EQUIVALENT.read_text(encoding="utf-8").splitlines():
        change, _, reason = line.partition(" ## ")
        assert reason, f"no reason in {EQUIVALENT.name}: {line}"
        yield change, reason


def _survivors(folder):
    for part in PARTS:
        source, copy = PROJECT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    (folder / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    _mutmut(folder, "run", "--max-children", str(os.cpu_count()))
    results = _mutmut(folder, "results").splitlines()
    # A change that makes a test run for ever ("timeout") was noticed.
    names = [line.split(":")[0].strip() for line in results if line.endswith(UNNOTICED)]
    return {_change(name, _mutmut(folder, "show", name)) for name in names}


def _mutmut(folder, *arguments):
    command = (sys.executable, "-m", "mutmut", *arguments)
    return subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


def _change(name, diff):
    """The module and the lines before and after; the numbers of mutants move with every edit."""
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[1:2] == " "]
    module = name.removeprefix("agentxsuite.engines.pdp.").partition(".")[0]
    return f"{module}: " + " => ".join(line[1:].strip() for line in changed)


if __name__ == "__main__":
    sys.exit(main())
