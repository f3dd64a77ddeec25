"""May they? One pure engine makes every decision: no Django, no I/O, and time is an argument.

    request = ask(asker, action, target, tool, how, input)
    policies = PolicySet.compile(stored, organization, environment)
    decision = decide(policies, request, at)              # a call
    could_allow(policies, request, at)                    # a list
    could_allow_below(policies, request, at)              # a list of templates
    outline(policies, request, at)                        # whether such a list may be another
    pending(policies, request, at)                        # who could use what, and what decides
    explain(policies, request, decision, at).as_json()    # somebody asks why

``check_policy`` and ``check_rule`` refuse, when written, what could not be enforced later.
"""

from agentxsuite.engines.pdp.asking import Agent, Circumstances, Member, ask
from agentxsuite.engines.pdp.below import could_allow_below, outline
from agentxsuite.engines.pdp.characters import canonical
from agentxsuite.engines.pdp.compile import PolicySet
from agentxsuite.engines.pdp.decide import (
    DEFAULT_DENY,
    EXPLICIT_ALLOW,
    EXPLICIT_DENY,
    Decision,
    Fault,
    RuleRef,
    could_allow,
    decide,
)
from agentxsuite.engines.pdp.explain import Explanation, FailingLeaf, NearMiss, explain
from agentxsuite.engines.pdp.model import ALLOW, DENY, Binding, Policy, Request, Rule
from agentxsuite.engines.pdp.paths import Absent
from agentxsuite.engines.pdp.pending import Pending, pending
from agentxsuite.engines.pdp.problems import PolicyInvalid, Problem
from agentxsuite.engines.pdp.redaction import REDACTED, redact
from agentxsuite.engines.pdp.rules import check_policy, check_rule
from agentxsuite.engines.pdp.standing import Told, barred, closed, refusal, shut
from agentxsuite.engines.pdp.terms import DEFAULT_TERMS, Rate, Terms

UNKNOWN = Absent.UNKNOWN

__all__ = [
    "ALLOW",
    "DEFAULT_DENY",
    "DEFAULT_TERMS",
    "DENY",
    "EXPLICIT_ALLOW",
    "EXPLICIT_DENY",
    "REDACTED",
    "UNKNOWN",
    "Absent",
    "Agent",
    "Binding",
    "Circumstances",
    "Decision",
    "Explanation",
    "FailingLeaf",
    "Fault",
    "Member",
    "NearMiss",
    "Pending",
    "Policy",
    "PolicyInvalid",
    "PolicySet",
    "Problem",
    "Rate",
    "Request",
    "Rule",
    "RuleRef",
    "Terms",
    "Told",
    "ask",
    "barred",
    "canonical",
    "check_policy",
    "check_rule",
    "closed",
    "could_allow",
    "could_allow_below",
    "decide",
    "explain",
    "outline",
    "pending",
    "redact",
    "refusal",
    "shut",
]
