"""Whoever runs the installation sees its log and how it is set up; nobody else knows of either."""

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.audit.services import record
from agentxsuite.control.tenancy.services import create_user
from tests import cast
from tests.cast import MADE_BY_HAND, client

company = cast.company  # fixtures, asked for by name
pytestmark = [pytest.mark.database, pytest.mark.django_db]
SYSTEM = "/api/v1/system/"
LOG = "/api/v1/system/audit/"
TEMPLATES = """
[git]
command = ["/usr/bin/git-server", "--repository={repository}"]
secret_variable = "GIT_TOKEN"
env = {MODE = "not for the world"}
[git.parameters.repository]
type = "path"
under = "/srv"
"""


@pytest.fixture
def root(company):
    user = create_user(MADE_BY_HAND, "root@example.org", None, is_operator=True)
    return client(user)


def happened(number):
    return record(
        "login_failed",
        actor=MADE_BY_HAND,
        organization=None,
        action="auth.login",
        target=f"user:probe-{number}",
        decision="deny",
    )


def test_an_operator_reads_the_log_of_no_organization(root, company):
    """Otherwise: whoever runs the server cannot see who knocks at it."""
    made = [happened(number) for number in range(3)]
    first = root.get(f"{LOG}?target=user:probe*&page_size=2").json()
    assert [row["id"] for row in first["results"]] == [str(made[2].id), str(made[1].id)]
    rest = root.get(first["next"]).json()
    assert [row["id"] for row in rest["results"]] == [str(made[0].id)]
    assert root.get(f"{LOG}{made[0].id}/").json()["target"] == "user:probe-0"
    assert root.get(f"{LOG}?decision=deny&subject=client:tests").json()["results"]
    tenants = AuditEvent.objects.filter(organization=company.organization).first()
    assert root.get(f"{LOG}{tenants.id}/").status_code == 404
    shown = root.get(f"{LOG}?page_size=200").json()["results"]
    assert {row["organization"] for row in shown} == {None}


def test_an_operator_sees_how_the_installation_is_set_up(root, settings, tmp_path):
    """Otherwise: nobody can tell what a tenant may start or reach without reading the machine."""
    file = tmp_path / "templates.toml"
    file.write_text(TEMPLATES)
    settings.STDIO_TEMPLATES, settings.EGRESS_ALLOW = str(file), ["10.0.0.0/8"]
    answer = root.get(SYSTEM)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["plane"], shown["egress_allow"]) == ("all", ["10.0.0.0/8"])
    (git,) = shown["command_templates"]
    assert (git["name"], git["parameters"], git["env"]) == ("git", ["repository"], ["MODE"])
    assert "not for the world" not in answer.content.decode()
    assert shown["trusted_issuers"] == []


@pytest.mark.parametrize("name", ["alice", "ada"])
def test_to_everybody_else_there_is_nothing(company, name):
    """Otherwise: a tenant reads who logs in elsewhere, and what the server may reach."""
    one = f"{LOG}{happened(1).id}/"
    browser = client(company.people[name])
    assert [browser.get(path).status_code for path in (SYSTEM, LOG, one)] == [404] * 3
    assert [client().get(path).status_code for path in (SYSTEM, LOG, one)] == [401] * 3


def test_an_operator_is_no_member(root, company):
    """Otherwise: whoever runs the server reads every tenant's data through the API."""
    home = f"/api/v1/orgs/{company.organization.id}/"
    assert root.get(home).status_code == 404
    assert root.get(f"{home}audit/").status_code == 404
