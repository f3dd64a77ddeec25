"""Budgets: how long a file and a function may be, and how many arguments one takes."""

import ast
import statistics
import tomllib
from collections.abc import Iterator

from tests.house.tree import Tree

MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 50
MOST_ARGUMENTS = 6
MOST_COMPLEX = 8

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(tree: Tree) -> Iterator[str]:
    """A file is too long."""
    for name in tree.sources():
        if (length := file_length(tree, name)) > MOST_LINES_IN_A_FILE:
            yield f"{name}: {length} lines, at most {MOST_LINES_IN_A_FILE}"


def functions(tree: Tree) -> Iterator[str]:
    """A function is too long."""
    for name, function in every_function(tree):
        if (length := function_length(function)) > MOST_LINES_IN_A_FUNCTION:
            yield (
                f"{name}:{function.lineno}: {function.name} has {length} lines,"
                f" at most {MOST_LINES_IN_A_FUNCTION}"
            )


def arguments(tree: Tree) -> Iterator[str]:
    """A function takes too many arguments; ``self`` and ``cls`` do not count."""
    for name, function in every_function(tree):
        if (number := argument_count(function)) > MOST_ARGUMENTS:
            yield (
                f"{name}:{function.lineno}: {function.name} takes {number} arguments,"
                f" at most {MOST_ARGUMENTS}"
            )


def complexity(tree: Tree) -> Iterator[str]:
    """Ruff counts complexity (C901): it must be told to, with our limit."""
    lint = (
        tomllib.loads(tree.text("pyproject.toml")).get("tool", {}).get("ruff", {}).get("lint", {})
    )
    selected = any("C901".startswith(code) or code == "ALL" for code in lint.get("select", []))
    if not selected or any("C901".startswith(code) for code in lint.get("ignore", [])):
        yield "pyproject.toml: ruff does not check complexity (C901)"
    if (limit := lint.get("mccabe", {}).get("max-complexity", 10)) > MOST_COMPLEX:
        yield f"pyproject.toml: max-complexity is {limit}, at most {MOST_COMPLEX}"


def medians(tree: Tree) -> str:
    """How long the middle and the longest file and function are."""
    in_files = [file_length(tree, name) for name in tree.sources()]
    in_functions = [function_length(function) for _, function in every_function(tree)]
    return "; ".join(
        f"{len(sizes)} {what}, median {statistics.median(sizes):g} lines, longest {max(sizes)}"
        for what, sizes in (("files", in_files), ("functions", in_functions))
        if sizes
    )


def every_function(tree: Tree) -> Iterator[tuple[str, Function]]:
    """Every function and method, with the name of its file."""
    for name, module in tree.modules:
        for node in ast.walk(module):
            if isinstance(node, Function):
                yield name, node


def file_length(tree: Tree, name: str) -> int:
    """Lines of a file."""
    return len(tree.text(name).splitlines())


def function_length(function: Function) -> int:
    """Lines from ``def`` to the last statement."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def argument_count(function: Function) -> int:
    """Arguments that a caller has to think of."""
    taken = function.args
    named = [*taken.posonlyargs, *taken.args]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    return len(named) + len(taken.kwonlyargs) + sum(map(bool, (taken.vararg, taken.kwarg)))
