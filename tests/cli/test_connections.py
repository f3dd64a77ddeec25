"""Connecting MCP servers: one by one, and a client's whole mcp.json."""

import json

import pytest

from tests.servers import mcp_http

OUTCOME = {
    *("name", "state", "connection", "status", "tools", "waiting", "reason", "hint", "failed"),
}
SECRET = "s3cr3t-of-the-upstream"


@pytest.fixture
def mcp_json(tmp_path):
    """Write a client's file; its path."""

    def write(servers, key="mcpServers"):
        path = tmp_path / "mcp.json"
        path.write_text(json.dumps({key: servers}))
        return str(path)

    return write


def outcomes(done):
    return {each["name"]: each for each in done.json}


def last_request(upstream):
    return mcp_http._read(upstream, "/log")[-1]


def test_a_server_is_connected_tested_and_its_tools_taken_in(cli, upstream):
    """Otherwise: a server cannot be connected without knowing the API."""
    (made,) = cli.json("connections", "add", "Tests", upstream)
    assert set(made) == OUTCOME
    assert (made["state"], made["connection"], made["status"]) == ("made", "tests", "ok")
    assert made["tools"] >= 6
    assert cli.json("connections", "test", "tests")["status"] == "ok"
    assert "ok" in cli.ok("connections", "test", "Tests").out
    synced = cli.json("connections", "sync")
    assert [each["tools"] for each in synced] == [made["tools"]]
    (row,) = cli.json("connections", "list")
    assert cli.json("connections", "sync", row["id"])[0]["connection"] == "tests"
    assert upstream in cli.ok("connections", "list").out
    again = cli("connections", "add", "Tests", upstream)
    assert again.status == 1
    assert "name" in again.out


def test_a_server_that_does_not_answer_is_a_failure(cli):
    """Otherwise: a script goes on although nothing was connected."""
    done = cli("connections", "add", "Nobody", "http://127.0.0.1:1/mcp")
    assert done.status == 1
    assert "fail" in done.out
    assert cli("connections", "test", "nobody").status == 1
    assert cli("connections", "sync", "nobody").status == 1
    private = cli("connections", "add", "Private", "http://10.1.2.3/mcp")
    assert private.status == 1
    assert "EGRESS_ALLOW" in private.out


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--bearer",), ("authorization", f"Bearer {SECRET}")),
        (("--basic", "ada"), ("authorization", "Basic YWRhOnMzY3IzdC1vZi10aGUtdXBzdHJlYW0=")),
        (("--header", "X-Api-Key"), ("x-api-key", SECRET)),
    ],
)
def test_a_credential_is_asked_for_stored_and_sent(cli, upstream, words, sent):
    """Otherwise: a secret stands in the process list, or never reaches the server it is for."""
    done = cli.ok("connections", "add", "Locked", upstream, *words, typed=f"{SECRET}\n")
    name, value = sent
    assert last_request(upstream)[name] == value
    shown = done.out + done.err + cli.ok("connections", "list", "--json").out
    assert SECRET not in shown


def test_two_ways_to_log_in_at_once_are_refused(visitor, upstream):
    """Otherwise: one of them is silently not used."""
    assert visitor("connections", "add", "X", upstream, "--bearer", "--basic", "ada").status == 2


def test_a_clients_file_is_taken_in_with_its_secrets(cli, upstream, mcp_json):
    """Otherwise: everybody types in again what their client knows already."""
    headers = {"Authorization": f"Bearer {SECRET}", "Accept": "*/*"}
    path = mcp_json(
        {
            "Plain": {"url": upstream},
            "Locked": {"type": "http", "url": "${WHERE}", "headers": headers},
            "pipes": {"command": "anything", "env": {"PIPES_TOKEN": SECRET}},
            "Off": {"url": upstream, "disabled": True},
        }
    )
    line = ("connections", "import", path, "--only", "Plain", "--only", "Locked", "--only", "Off")
    dry = cli("connections", "import", path, "--dry-run", "--json", WHERE=upstream)
    assert {each["state"] for each in dry.json} == {"would be made", "skipped"}
    assert cli.json("connections", "list") == []

    done = cli(*line, "--json", WHERE=upstream)
    assert done.status == 0, done.out
    assert SECRET not in done.out + done.err
    told = outcomes(done)
    assert {name: each["state"] for name, each in told.items()} == {
        "Plain": "made",
        "Locked": "made",
        "Off": "skipped",
    }
    assert last_request(upstream)["authorization"] == f"Bearer {SECRET}"

    again = outcomes(cli(*line, "--json", WHERE=upstream))
    assert {each["state"] for each in again.values()} == {"kept", "skipped"}
    assert len(cli.json("connections", "list")) == 2, "nothing twice"


def test_a_connection_that_leads_elsewhere_is_changed_only_when_told(cli, upstream, mcp_json):
    """Otherwise: importing a file again re-points a connection that somebody relies on."""
    locked = {"url": upstream, "headers": {"X-Key": "first"}}
    cli.ok("connections", "import", mcp_json({"A": locked}))
    path = mcp_json({"A": {"url": f"{upstream}?v=2", "headers": {"X-Key": "second"}}})
    dry = cli("connections", "import", path, "--dry-run", "--json")
    assert outcomes(dry)["A"]["state"] == "differs"
    refused = cli("connections", "import", path)
    assert refused.status == 1
    assert "--update" in refused.out
    cli("connections", "import", path, "--update")
    assert cli.json("connections", "list")[0]["endpoint"] == f"{upstream}?v=2"
    assert last_request(upstream)["x-key"] == "second"

    bare = mcp_json({"A": {"url": upstream}})
    cli("connections", "import", bare, "--update")
    assert cli.json("connections", "list")[0]["auth_method"] == "none"
    assert "x-key" not in last_request(upstream)
    cli("connections", "import", mcp_json({"A": locked}), "--update")
    assert last_request(upstream)["x-key"] == "first"


def test_a_command_is_never_the_tenants_to_choose(cli, mcp_json):
    """Otherwise: who may connect servers may run programs on the server's machine."""
    facts = {
        "command": "npx",
        "args": ["-y", "some-server"],
        "env": {"API_TOKEN": SECRET, "REGION": "eu"},
    }
    done = cli("connections", "import", mcp_json({"files": facts}))
    assert done.status == 1
    assert "skipped" in done.out
    assert '[files]\ncommand = ["/path/to/npx", "-y", "some-server"]' in done.out
    assert 'secret_variable = "API_TOKEN"' in done.out
    assert 'env = { "REGION" = "eu" }' in done.out
    assert "agentxsuite templates add" in done.out
    assert SECRET not in done.out + done.err
    assert cli.json("connections", "list") == []


def test_a_command_for_the_operator_names_secrets_and_has_none(cli, mcp_json):
    """Otherwise: a token stands in a terminal, and in the message that it is copied into."""
    facts = {
        "command": "npx",
        "args": [
            "--key=${MINE}",
            "--token",
            SECRET,
            f"--password={SECRET}",
            "--auth",
            "${MINE}",
            "x",
        ],
        "env": {"REGION": "eu", "DSN": "${MINE}"},
        "cwd": "/srv/${MINE}",
    }
    done = cli("connections", "import", mcp_json({"files": facts}), MINE=SECRET)
    words = [
        "/path/to/npx",
        "--key=${MINE}",
        "--token",
        "...",
        "--password=...",
        "--auth",
        "${MINE}",
    ]
    assert f"[files]\ncommand = {json.dumps([*words, 'x'])}" in done.out
    assert 'env = { "REGION" = "eu", "DSN" = "${MINE}" }' in done.out
    assert 'cwd = "/srv/${MINE}"' in done.out
    assert SECRET not in done.out + done.err


def test_a_template_of_the_operator_starts_what_the_file_asks_for(cli, mcp_json):
    """Otherwise: nobody gets a local server behind the door, or its secret stays behind."""
    path = mcp_json({"mine": {"command": "x", "env": {"PIPES_TOKEN": SECRET}}})
    done = cli("connections", "import", path, "--template", "mine=pipes", "--json")
    (row,) = cli.json("connections", "list")
    assert (row["endpoint"], row["auth_method"]) == ("stdio://pipes", "bearer")
    assert outcomes(done)["mine"]["status"] == "ok"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("x", "not an object"),
        ({}, "neither a url nor a command"),
        ({"url": "ftp://x"}, "neither http nor https"),
        ({"url": "${NOT_SET_ANYWHERE}"}, "NOT_SET_ANYWHERE is not set"),
        ({"url": "https://x", "headers": {"A": "${input:key}"}}, "asks for an input"),
        ({"url": "https://x", "headers": {"A": "1", "B": "2"}}, "one header, not 2: A, B"),
        ({"url": "https://x", "headers": ["A"]}, "headers are not an object"),
        ({"url": "https://x", "headers": {"A": 1}}, "headers are not text"),
        ({"url": 1}, "url are not text"),
        ({"url": "https://x", "headers": {"Authorization": "Basic ?"}}, "RFC 7617"),
        ({"command": "x", "args": "y"}, "args are not a list"),
        ({"command": "x", "args": [1]}, "args are not text"),
    ],
)
def test_what_cannot_be_taken_in_says_why(visitor, mcp_json, facts, reason):
    """Otherwise: a server is missing later, and nobody knows since when."""
    done = visitor("connections", "import", mcp_json({"odd": facts}))
    assert done.status == 1
    assert "skipped" in done.out
    assert reason in done.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "has no `mcpServers`"),
        ('{"mcpServers": {}}', "has no `mcpServers`"),
    ],
)
def test_what_is_no_clients_file_is_told_in_one_line(visitor, tmp_path, text, said):
    """Otherwise: a typing error in a file is a stack trace."""
    path = tmp_path / "mcp.json"
    if text is not None:
        path.write_text(text)
    done = visitor("connections", "import", str(path))
    assert done.status == 2
    assert said in done.err


def test_a_server_that_the_file_does_not_have_is_a_slip(visitor, mcp_json, upstream):
    """Otherwise: a typing error imports nothing, and looks like success."""
    path = mcp_json({"A": {"url": upstream}}, key="servers")
    assert visitor("connections", "import", path, "--only", "B").status == 2
    assert visitor("connections", "import", path, "--template", "B=pipes").status == 2
    assert visitor("connections", "import", path, "--template", "A").status == 2
    assert visitor("connections", "test", "nowhere").status == 2
