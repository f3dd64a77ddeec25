"""What closes the door whatever policies say, and what a denied caller is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agentxsuite.engines import pdp
from agentxsuite.engines.pdp import Agent, Member, barred, closed, refusal

AGENT = Agent(
    id="a1",
    name="Clerk",
    slug="clerk",
    mode="caller",
    enabled=True,
    connection=None,
    attributes={},
)
RUNNER = replace(AGENT, mode="runner", connection="c1")


def tool(*, server=True, **facts):
    known = {"enabled": True, "approved": True, "sync_status": "synced"}
    return SimpleNamespace(connection=SimpleNamespace(id="c1", enabled=server), **known | facts)


TOLD = {
    "agent_disabled": "This agent is disabled.",
    "runner_other_connection": "A runner uses only the tools of its own connection.",
    "connection_disabled": "This connection is disabled.",
    "tool_disabled": "This tool is disabled.",
    "tool_quarantined": (
        "This tool's definition changed upstream: it is quarantined until a person approves."
    ),
    "tool_stale": "The upstream no longer offers this tool.",
}


@pytest.mark.parametrize(
    ("agent", "asked", "codes"),
    [
        (AGENT, tool(), ()),
        (RUNNER, tool(), ()),
        (AGENT, None, ()),
        (RUNNER, None, ()),
        (None, None, ()),
        (None, tool(), ()),
        (replace(AGENT, connection="c2"), tool(), ()),
        (replace(AGENT, enabled=False), None, ("agent_disabled",)),
        (replace(RUNNER, connection="c2"), tool(), ("runner_other_connection",)),
        (AGENT, tool(server=False), ("connection_disabled",)),
        (None, tool(enabled=False), ("tool_disabled",)),
        (AGENT, tool(sync_status="pending_review"), ("tool_quarantined",)),
        (AGENT, tool(approved=False), ("tool_quarantined",)),
        (AGENT, tool(sync_status="stale"), ("tool_stale",)),
        (
            replace(RUNNER, enabled=False, connection=None),
            tool(server=False, enabled=False, approved=False, sync_status="stale"),
            tuple(TOLD),
        ),
    ],
)
def test_every_fact_that_closes_the_door_is_told(agent, asked, codes):
    """Otherwise: a disabled, foreign or unreviewed tool is called, or nobody is told why not."""
    assert list(closed(agent, asked)) == [(code, TOLD[code]) for code in codes]


@pytest.mark.parametrize(
    ("decision", "fact", "told"),
    [
        (pdp.Decision(pdp.ALLOW, pdp.EXPLICIT_ALLOW), None, None),
        (pdp.Decision(pdp.ALLOW, pdp.EXPLICIT_ALLOW), ("x", "Y."), ("x", "Y.")),
        (
            pdp.Decision(pdp.DENY, pdp.DEFAULT_DENY),
            None,
            ("default_deny", "No policy allows this use of 'pay/{x}'."),
        ),
        (
            pdp.Decision(pdp.DENY, pdp.EXPLICIT_DENY),
            None,
            ("explicit_deny", "A policy denies this use of 'pay/{x}'."),
        ),
        (
            pdp.Decision(
                pdp.DENY,
                pdp.EXPLICIT_DENY,
                pdp.RuleRef("", "", 1, "", "", 0, 0, "deny", "Ask {us}."),
            ),
            None,
            ("explicit_deny", "Ask {us}."),
        ),
    ],
)
def test_a_denied_caller_is_told_why(decision, fact, told):
    """Otherwise: an agent cannot tell what would help, or a message with braces breaks."""
    assert refusal(decision, fact, "pay/{x}") == told


@pytest.mark.parametrize(
    ("role", "may"),
    [("owner", True), ("admin", True), ("operator", True), ("viewer", False), ("auditor", False)],
)
def test_who_may_only_look_runs_as_nobody(role, may):
    """Otherwise: a viewer runs tools by lending themselves an agent."""
    told = barred(Member("u1", "vera@acme.example", role))
    assert told == (None if may else ("role_too_low", f"The role '{role}' may not run tools."))
