"""The docs say what the code does: settings are documented, what is named or linked exists."""

import ast
import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath

from tests.house.tree import Tree

MOST_SETTINGS = 40
SETTINGS = "src/agentxsuite/project/settings.py"
SETTINGS_PAGE = "docs/settings.md"
STORY_PAGE = "docs/one-call.md"
PACKAGE = "src/agentxsuite"
READER = re.compile(r"\b(environ\.get|getenv)$")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")
DOCUMENTED = re.compile(r"^\| `([A-Z][A-Z0-9_]+)`", re.MULTILINE)
ROOMS = "project|console|gateway|cli|control|engines|wire"
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
NAMED = re.compile(rf"`((?:{ROOMS})(?:\.\w+)+)(?:\(\))?`")


def settings(tree: Tree) -> Iterator[str]:
    """A setting is undocumented, documented but not read, or one too many."""
    read = variables(tree)
    documented = set(DOCUMENTED.findall(tree.text(SETTINGS_PAGE)))
    yield from (f"{SETTINGS_PAGE}: does not document {name}" for name in sorted(read - documented))
    yield from (f"{SETTINGS_PAGE}: nothing reads {name}" for name in sorted(documented - read))
    if len(read) > MOST_SETTINGS:
        yield f"{SETTINGS}: {len(read)} settings, at most {MOST_SETTINGS}"


def variables(tree: Tree) -> set[str]:
    """The environment variables that the program reads."""
    asked = {
        expression.value
        for name, module in tree.modules
        if name.startswith("src/")
        for node in ast.walk(module)
        if isinstance(expression := asked_for(node, anything=name == SETTINGS), ast.Constant)
    }
    return {name for name in asked if isinstance(name, str) and VARIABLE.fullmatch(name)}


def asked_for(node: ast.AST, *, anything: bool) -> ast.expr | None:
    """What is read of the environment; the settings ask readers of their own, so ``anything``."""
    if isinstance(node, ast.Call) and node.args:
        reader = ast.unparse(node.func)
        return node.args[0] if anything or READER.search(reader) else None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        return node.slice
    return None


def story(tree: Tree) -> Iterator[str]:
    """The page that traces one call names something that does not exist."""
    named = sorted(set(NAMED.findall(tree.text(STORY_PAGE))))
    if not named:
        yield f"{STORY_PAGE}: names no function"
    yield from (f"{STORY_PAGE}: no {name}" for name in named if not exists(tree, name.split(".")))


def links(tree: Tree) -> Iterator[str]:
    """A page links to a file or a heading that is not there."""
    for page in (name for name in tree.names if name.endswith(".md")):
        for path, heading in LINK.findall(tree.text(page)):
            target = normpath(join(dirname(page), path)) if path else page
            if not (tree.root / target).exists():
                yield f"{page}: links to {path}, which is not there"
            elif heading and heading not in map(anchor, HEADING.findall(tree.text(target))):
                yield f"{page}: {target} has no heading {heading}"


def anchor(heading: str) -> str:
    """What a link to a heading says, as forges make it of the words."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def exists(tree: Tree, path: list[str]) -> bool:
    """Whether ``path`` is a package, a module, or a name in one."""
    for size in range(len(path), 0, -1):
        stem = "/".join((PACKAGE, *path[:size]))
        for name in (f"{stem}.py", f"{stem}/__init__.py"):
            if (tree.root / name).is_file():
                return defined(ast.parse(tree.text(name)).body, path[size:])
    return False


def defined(body: list[ast.stmt], path: list[str]) -> bool:
    """Whether the first name of ``path`` is bound in ``body``, and so on inwards."""
    if not path:
        return True
    for statement in body:
        if path[0] in bound(statement):
            return len(path) == 1 or defined(getattr(statement, "body", []), path[1:])
    return False


def bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.ImportFrom | ast.Import):
        return {alias.asname or alias.name for alias in statement.names}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
