from uuid import uuid4

import pytest

from agentxsuite.control.audit.models import AuditEvent
from agentxsuite.control.catalog.models import Connection, Tool, ToolDefinition
from agentxsuite.control.catalog.services import (
    approve_tool,
    change_connection,
    create_connection,
)
from agentxsuite.control.problems import Conflict, Invalid, NotFound
from agentxsuite.control.secretstore.services import SecretsUnavailable, store
from tests.unit.control.catalog.definitions import definition

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("master_keys")]

URL = "https://pdf.example/mcp"
TEMPLATES = """
[git]
command = ["/usr/bin/git-server", "--repository={repository}"]
secret_variable = "GIT_TOKEN"
[git.parameters.repository]
type = "enum"
values = ["shop"]
"""


@pytest.fixture
def ref(actor, acme, prod):
    return store(actor, acme, prod, "s3cret", "upstream").ref


@pytest.fixture
def templates(settings, tmp_path):
    settings.STDIO_TEMPLATES = str(tmp_path / "templates.toml")
    (tmp_path / "templates.toml").write_text(TEMPLATES)


@pytest.fixture
def refused(actor, prod):
    """The code of the refusal, and where its fault is."""

    def refused(endpoint=URL, name="Pdf", **access):
        with pytest.raises(Invalid) as problem:
            create_connection(actor, prod, name, endpoint, **access)
        assert not Connection.objects.exists()
        return problem.value.code, [fault["path"] for fault in problem.value.errors]

    return refused


@pytest.mark.parametrize(
    ("method", "config"),
    [("bearer", {}), ("basic", {"username": "ann"}), ("header", {"header": "X-Api-Key"})],
)
def test_a_connection_is_stored(actor, prod, ref, method, config):
    """A server could not be connected in one of the ways that servers log clients in."""
    made = create_connection(
        actor, prod, "Pdf", URL, auth_method=method, auth_config=config, secret_ref=ref
    )
    made.refresh_from_db()
    assert (made.slug, made.auth_method, made.secret_ref) == ("pdf", method, ref)
    assert (made.status, made.enabled, made.synced_at) == ("unknown", True, None)
    event = AuditEvent.objects.get(event_type="connection_created")
    assert (event.target, event.subject) == ("connection:pdf", actor.subject)
    assert "s3cret" not in str(event.event_data)


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize("method", ["none", "bearer"])
def test_a_command_template_is_connected(actor, prod, ref, method):
    """A server that runs beside the platform could not be connected."""
    access = {"auth_method": "bearer", "secret_ref": ref} if method == "bearer" else {}
    made = create_connection(actor, prod, "Git", "stdio://git?repository=shop", **access)
    assert made.slug == "git"


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("ftp://x.example", "endpoint_scheme"),
        ("https://user:pass@x.example", "endpoint_credentials"),
        ("http://127.0.0.1:9000/mcp", "egress_denied"),
        ("https://169.254.169.254/latest", "egress_denied"),
        ("https://[::1]/", "egress_denied"),
        ("stdio://bash?-c=id", "endpoint_template"),
        ("stdio://git?repository=/etc", "endpoint_parameter"),
        ("stdio://git?repository=shop&x=1", "endpoint_parameter"),
        ("", "endpoint_malformed"),
        ("https://x.example/\n", "endpoint_malformed"),
    ],
)
def test_an_endpoint_that_may_not_be_reached_is_refused(refused, endpoint, code):
    """A tenant could reach the inside of the operator's network, or run a command."""
    assert refused(endpoint) == (code, ["/endpoint"])


def test_the_operator_opens_what_is_closed(actor, prod, settings):
    """A server in the operator's own network could never be connected."""
    settings.EGRESS_ALLOW = ["127.0.0.1:9000"]
    assert create_connection(actor, prod, "Pdf", "http://127.0.0.1:9000/mcp").slug == "pdf"


@pytest.mark.parametrize(
    ("access", "path"),
    [
        ({"auth_method": "oauth2"}, "/auth_config"),
        ({"auth_method": "oauth2", "auth_config": {"client_id": "x", "y": "z"}}, "/auth_config"),
        ({"auth_method": "oauth2", "auth_config": {"client_id": ""}}, "/auth_config/client_id"),
        ({"auth_method": "oauth2", "auth_config": {"client_id": "x"}}, "/secret_ref"),
        ({"auth_method": "magic"}, "/auth_method"),
        ({"auth_method": "bearer"}, "/secret_ref"),
        ({"auth_method": "bearer", "secret_ref": "sec_unknown"}, "/secret_ref"),
        ({"auth_method": "bearer", "auth_config": {"x": 1}}, "/auth_config"),
        ({"auth_method": "basic"}, "/auth_config"),
        ({"auth_method": "basic", "auth_config": {"username": "a:b"}}, "/auth_config/username"),
        ({"auth_method": "header", "auth_config": {"header": 7}}, "/auth_config/header"),
        ({"auth_method": "header", "auth_config": {"header": "a b"}}, "/auth_config/header"),
        ({"auth_config": []}, "/auth_config"),
        ({"secret_ref": "sec_unknown"}, "/secret_ref"),
        ({"verify": "never"}, "/verify"),
    ],
)
def test_a_login_that_cannot_work_is_refused(refused, access, path):
    """The mistake would show only when the first call fails."""
    code, paths = refused(**access)
    assert paths == [path]
    assert code == ("auth_method_unsupported" if path == "/auth_method" else "invalid_request")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"scope": "a  b"}, "invalid_request"),
        ({"scope": 'a"b'}, "invalid_request"),
        ({"token_url": "ftp://as.example/token"}, "invalid_request"),
        ({"token_url": "https://u:p@as.example/token"}, "endpoint_credentials"),
        ({"token_url": "https://169.254.169.254/token"}, "egress_denied"),
        ({"token_url": "http://10.0.0.1/token"}, "egress_denied"),
    ],
)
def test_where_tokens_come_from_is_checked_like_every_address(refused, ref, more, code):
    """The client's secret would be sent to the inside of the operator's network, or nowhere."""
    config = {"client_id": "x", **more}
    [name] = more
    found = refused(auth_method="oauth2", auth_config=config, secret_ref=ref)
    assert found == (code, [f"/auth_config/{name}"])


@pytest.mark.usefixtures("templates")
def test_a_command_takes_no_header(refused, ref):
    """A credential would be stored for a header that nobody ever sends."""
    access = {"auth_method": "header", "auth_config": {"header": "X-A"}, "secret_ref": ref}
    refusal = ("auth_method_unsupported", ["/auth_method"])
    assert refused("stdio://git?repository=shop", **access) == refusal


def test_a_foreign_secret_is_one_that_is_not_there(refused, actor, globex, globex_prod, acme, dev):
    """A tenant could send another tenant's credential to a server of their own."""
    foreign = store(actor, globex, globex_prod, "theirs").ref
    elsewhere = store(actor, acme, dev, "for dev").ref
    for ref in (foreign, elsewhere):
        assert refused(auth_method="bearer", secret_ref=ref)[1] == ["/secret_ref"]


@pytest.mark.parametrize("value", ["two\nlines", "snow \u2603"])
def test_a_secret_that_fits_no_header_is_refused(refused, actor, acme, prod, value):
    """The connection would look well and never work."""
    ref = store(actor, acme, prod, value).ref
    assert refused(auth_method="bearer", secret_ref=ref)[1] == ["/secret_ref"]


def test_without_keys_no_credential_is_judged(actor, prod, ref, settings, tmp_path):
    """An operator's fault would be told as the tenant's."""
    settings.SECRET_KEYS = tmp_path / "lost.json"
    with pytest.raises(SecretsUnavailable):
        create_connection(actor, prod, "Pdf", URL, auth_method="bearer", secret_ref=ref)


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_name_has_a_length(refused, name):
    """A long name would end in a server error on PostgreSQL."""
    assert refused(name=name)[1] == ["/name"]


def test_names_are_unique_in_an_environment(actor, connection, prod, dev):
    """Nobody could tell two servers apart."""
    with pytest.raises(Conflict):
        create_connection(actor, prod, "Pdf", URL)
    assert create_connection(actor, dev, "Pdf", URL).slug == "pdf"
    other = create_connection(actor, prod, "Other", URL)
    with pytest.raises(Conflict):
        change_connection(actor, other, name="Pdf")


def test_a_change_is_told_and_keeps_the_slug(actor, connection, ref):
    """Policies that name the server would speak of nothing after it was renamed."""
    changed = change_connection(
        actor, connection, name="Papers", enabled=False, auth_method="bearer", secret_ref=ref
    )
    assert (changed.name, changed.slug, changed.enabled) == ("Papers", "pdf", False)
    event = AuditEvent.objects.get(event_type="connection_changed")
    assert event.event_data["changes"]["name"] == {"from": "Pdf", "to": "Papers"}
    assert set(event.event_data["changes"]) == {"name", "enabled", "auth_method", "secret_ref"}


def test_a_refused_change_changes_nothing(actor, connection, listed, tool):
    """Half of a bad edit would be in force, or tools quarantined for nothing."""
    listed(definition())
    with pytest.raises(Invalid):
        change_connection(actor, connection, endpoint="https://ok.example", auth_method="oauth2")
    connection.refresh_from_db()
    assert connection.endpoint == URL
    assert tool().sync_status == "synced"


def test_other_changes_keep_the_approvals(actor, connection, listed, tool):
    """Renaming a connection would stop all its calls."""
    listed(definition())
    change_connection(actor, connection, name="Papers", endpoint=URL)
    assert tool().sync_status == "synced"


def test_what_is_gone_cannot_be_changed(actor, connection, listed, tool):
    """A late edit would bring back what somebody took away."""
    listed(definition())
    stored = tool()
    Tool.objects.update(deleted_at=connection.created_at, sync_status="pending_review")
    with pytest.raises(NotFound):
        approve_tool(actor, stored)
    Connection.objects.update(deleted_at=connection.created_at)
    for late in (
        lambda: approve_tool(actor, stored),
        lambda: change_connection(actor, connection, name="x"),
    ):
        with pytest.raises(NotFound):
            late()


def test_only_what_waits_is_approved(actor, connection, listed, tool):
    """An approval would be given to what nobody has looked at."""
    listed(definition())
    codes = []

    def attempt(number=None):
        with pytest.raises(Conflict) as problem:
            approve_tool(actor, tool(), number)
        codes.append(problem.value.code)

    attempt()
    listed(definition(description="changed"))
    attempt(1)
    change_connection(actor, connection, endpoint="https://other.example")
    attempt()
    listed()
    attempt()
    listed(definition(inputSchema={"$ref": "https://evil.example"}))
    attempt()
    assert codes == [
        "nothing_pending",
        "definition_changed",
        "not_synced",
        "nothing_pending",
        "schema_refused",
    ]
    assert ToolDefinition.objects.filter(approved_at=None).count() == 3


def test_a_foreign_environment_is_no_door(actor, globex_prod, ref):
    """A connection of one tenant would use a secret of another."""
    with pytest.raises(Invalid):
        create_connection(actor, globex_prod, "Pdf", URL, auth_method="bearer", secret_ref=ref)
    with pytest.raises(Invalid):
        create_connection(
            actor, globex_prod, "Pdf", URL, auth_method="bearer", secret_ref=str(uuid4())
        )
