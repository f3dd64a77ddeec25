"""An exception to a rule stands beside its reason: in the same comment or the line above."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from tests.house.tree import Tree

SUPPRESSION = re.compile(
    r"\bnoqa\b(:\s*[A-Z]+\d+([,\s]+[A-Z]+\d+)*)?|\btype:\s*ignore\b(\[[\w\-, ]*\])?"
    r"|\bpragma:\s*no (cover|branch)\b"
)
A_REASON = re.compile(r"[A-Za-z]{3,}")
OPEN_END = re.compile(r"\b(TO(?:DO)|FIX(?:ME))\b")  # split, so that the rule passes itself
CATCH_ALL = {"Exception", "BaseException"}


class Comment(NamedTuple):
    """A comment, and whether it has its line to itself."""

    text: str
    alone: bool


NONE = Comment("", alone=False)


def suppressions(tree: Tree) -> Iterator[str]:
    """A checker is silenced without a reason."""
    for name in tree.sources():
        text = tree.text(name)
        comments = comments_of(text) if SUPPRESSION.search(text) else {}
        for number, comment in comments.items():
            if SUPPRESSION.search(comment.text) and not reason(comments, number):
                yield f"{name}:{number}: no reason beside {comment.text!r}"


def catch_alls(tree: Tree) -> Iterator[str]:
    """Every exception is caught without a reason."""
    for name, module in tree.modules:
        for node in filter(catches_all, ast.walk(module)):
            if not reason(comments_of(tree.text(name)), node.lineno):
                yield f"{name}:{node.lineno}: no reason beside a handler of every exception"


def open_ends(tree: Tree) -> Iterator[str]:
    """Something is left to do; open ends live in docs/roadmap.md."""
    for place, line in tree.lines():
        if found := OPEN_END.search(line):
            yield f"{place}: {found.group()}"


def catches_all(node: ast.AST) -> bool:
    """Whether this is a handler of every exception."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in CATCH_ALL) for kind in caught
    )


def reason(comments: dict[int, Comment], number: int) -> bool:
    """Whether the comment on a line, or one that fills the line above, gives a reason."""
    beside, above = comments.get(number, NONE), comments.get(number - 1, NONE)
    return gives_reason(beside) or (above.alone and gives_reason(above))


def gives_reason(comment: Comment) -> bool:
    """Whether a comment says more than what it silences."""
    return A_REASON.search(SUPPRESSION.sub("", comment.text)) is not None


def comments_of(text: str) -> dict[int, Comment]:
    """The comments of a source, by line."""
    return {
        token.start[0]: Comment(token.string, alone=not token.line[: token.start[1]].strip())
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
