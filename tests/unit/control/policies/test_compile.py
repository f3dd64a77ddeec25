import pytest

from agentxsuite.control.policies import services
from agentxsuite.control.policies.compile import policies_of
from agentxsuite.control.policies.drafts import BindingDraft, PolicyDraft, RuleDraft
from agentxsuite.control.policies.models import Policy
from agentxsuite.engines import pdp

pytestmark = pytest.mark.database


@pytest.fixture
def write(actor):
    def write(organization, name, **facts):
        rules = (RuleDraft("tool.invoke", "tool:pdf/*", "allow", name="read"),)
        bound = (BindingDraft("org", str(organization.id), 7),)
        return services.create_policy(actor, organization, PolicyDraft(name, rules, bound, **facts))

    return write


def test_the_engine_gets_what_is_stored(write, acme, prod):
    """A rule would be enforced otherwise than it was written."""
    stored = write(acme, "reading")
    rule = stored.rules.get()
    assert policies_of(prod) == [
        pdp.Policy(
            id=str(stored.id),
            name="reading",
            version=1,
            organization=str(acme.id),
            environment=None,
            active=True,
            rules=(pdp.Rule(str(rule.id), "read", 0, "tool.invoke", "tool:pdf/*", "allow"),),
            bindings=(pdp.Binding("org", str(acme.id), 7),),
        )
    ]


def test_only_what_can_apply_is_given(write, acme, globex, prod, dev):
    """A policy of another tenant, of another environment or out of force would decide."""
    here = {write(acme, "shared").name, write(acme, "prod", environment=prod).name}
    write(acme, "dev", environment=dev)
    write(acme, "off", is_active=False)
    write(globex, "foreign")
    Policy.objects.filter(id=write(acme, "deleted").id).update(deleted_at=prod.created_at)
    assert {policy.name for policy in policies_of(prod)} == here


def test_many_policies_cost_as_many_queries_as_one(write, acme, prod, django_assert_num_queries):
    """Each policy more would make every snapshot slower."""
    for count in (1, 4):
        for number in range(count):
            write(acme, f"{count}-{number}")
        with django_assert_num_queries(3):
            policies_of(prod)


def test_what_was_written_decides(write, acme, prod):
    """A policy would be accepted and then not enforced."""
    write(acme, "reading")
    compiled = pdp.PolicySet.compile(policies_of(prod), str(acme.id), str(prod.id))
    assert len(compiled.versions) == 1
