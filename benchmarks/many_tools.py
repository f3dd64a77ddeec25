"""Give the benchmark's organization a connection with many tools, all of them allowed.

``python -m benchmarks.many_tools <organization> <number>``; no server is asked for them.
"""

import sys

import django

django.setup()

# ruff: noqa: E402  # Django's models can be imported only now
from agentxsuite.control.audit.services import Actor
from agentxsuite.control.catalog import services as catalog
from agentxsuite.control.catalog import sync
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.services import create_policy
from agentxsuite.control.tenancy.models import Environment, Organization
from agentxsuite.control.tenancy.scope import seeing
from agentxsuite.wire import JSON


def main(organization_id: str, number: int) -> None:
    """Make the tools, besides the one that is there."""
    actor = Actor("client:bench")
    with seeing([organization_id]):
        organization = Organization.objects.get(id=organization_id)
        environment = Environment.objects.get(organization=organization)
    connection = catalog.create_connection(actor, environment, "Many", "https://many.example/mcp")
    sync.settle(actor, sync.begin(connection), [definition(each) for each in range(number - 1)])
    rule = RuleDraft("tool.invoke", "tool:many/*", "allow")
    binding = BindingDraft("org", organization_id)
    draft = PolicyDraft("many", (rule,), (binding,), acknowledge_broad=True)
    create_policy(actor, organization, draft)


def definition(number: int) -> dict[str, JSON]:
    """A tool as large as most are."""
    properties = {
        name: {"type": "string", "description": f"What {name} is, in a sentence or two."}
        for name in ("subject", "body", "recipient", "priority")
    }
    schema = {"type": "object", "properties": properties, "required": ["subject"]}
    about = f"Does the {number}th of many things, and tells how that went when it is done."
    return {"name": f"tool-{number:04}", "description": about, "inputSchema": schema}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
