"""The demo's two policies: what the agent may do, and what nobody may do."""

from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from demo.words import A_MINUTE, LARGE_TRANSFERS, MOST, NO_COMMITS, TOO_MUCH

INVOKE = "tool.invoke"


def helping(agent: str) -> PolicyDraft:
    """What the agent is there for; whatever is not said here is denied."""
    slowly = {"rate": {"per_minute": A_MINUTE}}
    return PolicyDraft(
        "shop assistant",
        (
            RuleDraft(INVOKE, "tool:git/git_log", "allow", name="read the history"),
            RuleDraft(INVOKE, "tool:git/git_status", "allow", name="read the status"),
            RuleDraft(INVOKE, "tool:time/convert_time", "allow", name="convert times"),
            RuleDraft(
                INVOKE, "tool:time/get_current_time", "allow", terms=slowly, name="tell the time"
            ),
            RuleDraft(INVOKE, "tool:payments/*", "allow", name="pay bills"),
        ),
        (BindingDraft("agent", agent),),
    )


def guarding(organization: str) -> PolicyDraft:
    """What no policy of anybody can allow: a deny always wins."""
    too_much = {"path": "input.amount", "op": "gt", "value": MOST}
    return PolicyDraft(
        "house rules",
        (
            RuleDraft(INVOKE, "tool:git/git_commit", "deny", message=NO_COMMITS, name="no commits"),
            RuleDraft(
                INVOKE,
                "tool:payments/transfer",
                "deny",
                conditions=too_much,
                message=TOO_MUCH,
                name=LARGE_TRANSFERS,
            ),
        ),
        (BindingDraft("org", organization),),
    )
