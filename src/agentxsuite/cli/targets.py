"""What a rule or a question is about, in the words of policies."""

from typing import Final

KINDS: Final = {"tool": "tool", "resource": "resource", "prompt": "prompt"}
INVOKE: Final = "tool.invoke"
STAR: Final = "*"


def target(name: str, action: str = INVOKE) -> str:
    """Return the target of a name: `pdf/*` is `tool:pdf/*`; one that has its kind stays."""
    kind = KINDS.get(action.partition(".")[0], "tool")
    has_kind = name.partition(":")[0] in KINDS.values() and ":" in name
    return name if has_kind else f"{kind}:{name}"


def is_pattern(name: str) -> bool:
    """Whether a name may mean several things."""
    return STAR in name
