"""Nothing in the tree depends on one machine or one package registry."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import Tree

REGISTRY = re.compile(
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg|deb[.]debian"
    r"|https?://\S*(?:/simple\b|/packages/|registry[.]|/debian\b)"
)
PINNED = re.compile(r"^[A-Za-z0-9][\w.\-]*(\[[\w,\-]+\])?==[\w.!+]+")


def registries(tree: Tree) -> Iterator[str]:
    """A package registry is named: which one to use is the machine's business."""
    for place, line in tree.lines():
        if found := REGISTRY.search(line):
            yield f"{place}: names a package registry: {found.group()}"


def machine_paths(tree: Tree) -> Iterator[str]:
    """A path of this machine stands in the tree."""
    here = machine_path(tree.root, Path.home())
    for place, line in tree.lines():
        if not place.startswith(".ci/") and (found := here.search(line)):
            yield f"{place}: a path of this machine: {found.group().strip()}"


def machine_path(root: Path, home: Path) -> re.Pattern[str]:
    """What is a path into the home, or to the checkout or a neighbour of it."""
    neighbours = [rf"{re.escape(str(folder))}\b" for folder in sorted(root.parent.iterdir())]
    homes = [rf"{re.escape(str(home))}/\w"] if home.name else []
    return re.compile(rf"(?<![\w.])(?:{'|'.join(neighbours + homes)})|[.][.]/sha[r]ed")


def lock(tree: Tree) -> Iterator[str]:
    """``requirements.lock`` pins exact versions by hash and does not say where they come from."""
    name = "requirements.lock"
    for requirement in requirements(tree.text(name)):
        package = requirement.split("==")[0].split()[0]
        if "://" in requirement or package.startswith("-"):
            yield f"{name}: an address or an option: {requirement[:80]}"
        elif not PINNED.match(requirement):
            yield f"{name}: no exact version: {requirement[:80]}"
        elif "--hash=sha256:" not in requirement:
            yield f"{name}: no hash: {package}"


def requirements(text: str) -> list[str]:
    """The requirements of a lock file, each on one line, without comments."""
    joined = text.replace("\\\n", " ")
    lines = [line.split(" #")[0].strip() for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
