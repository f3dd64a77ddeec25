"""The story, a module a step; each checks what it gets and raises Unexpected."""

from demo.steps import (
    allowed,
    argument_denied,
    listing,
    malformed,
    quarantined,
    recorded,
    revoked,
    rule_denied,
    throttled,
)

STEPS = (
    ("What the agent sees", listing.play),
    ("Allowed calls, with real results", allowed.play),
    ("A call that a rule denies", rule_denied.play),
    ("A call denied for its arguments", argument_denied.play),
    ("Arguments that do not fit the tool", malformed.play),
    ("Too many calls a minute", throttled.play),
    ("A token is revoked", revoked.play),
    ("A tool changes behind everybody's back", quarantined.play),
    ("What the records say", recorded.play),
)
