"""A client's command as a template that the server's operator adds."""

import os
import tomllib

import pytest
from typer.testing import CliRunner

from agentxsuite.engines.upstream import load_templates
from agentxsuite.project import main


@pytest.fixture
def add(settings, tmp_path, monkeypatch):
    """Add an mcp.json as the operator; the file of templates is the returned function's."""
    settings.STDIO_TEMPLATES, settings.DATA_DIR = "", tmp_path
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "some-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent), os.environ["PATH"]]))

    def add(servers, *words):
        (tmp_path / "mcp.json").write_text(f'{{"mcpServers": {servers}}}')
        line = ["templates", "add", str(tmp_path / "mcp.json"), *words]
        result = CliRunner().invoke(main.app, line)
        return result.exit_code, result.output

    add.file = tmp_path / "stdio-templates.toml"
    add.program = program
    return add


def test_a_command_is_added_whole_and_only_its_owner_can_read_it(add):
    """Otherwise: the server starts another program, or others read what it is told."""
    servers = '{"Some Server": {"command": "some-server", "args": ["a \\"b\\"", "\\u007f"],'
    servers += ' "env": {"API_KEY": "s3cret", "REGION": "eu"}, "cwd": "/srv"}}'
    status, said = add(servers)
    assert (status, "connections may start some-server" in said) == (0, True)
    assert add.file.stat().st_mode & 0o777 == 0o600
    made = load_templates(add.file)["some-server"]
    assert made.command == (str(add.program), 'a "b"', "\x7f")
    assert made.secret_variable == "API_KEY"
    assert made.cwd == "/srv"
    assert made.env["REGION"] == "eu"
    assert made.env["PATH"].startswith(str(add.program.parent))
    assert "s3cret" not in add.file.read_text(), "the connection's secret is a tenant's"

    again = add(servers)
    assert (again[0], "kept some-server" in again[1]) == (0, True)
    assert "some-server: " in CliRunner().invoke(main.app, ["templates", "list"]).output


def test_variables_are_filled_in_for_the_server_alone(add, monkeypatch):
    """Otherwise: a started command lacks its token, or the terminal shows it."""
    monkeypatch.setenv("MINE", "s3cret")
    words = '["--key=${MINE}", "--token", "s3cret"]'
    status, said = add(
        f'{{"a": {{"command": "some-server", "args": {words}, "cwd": "/${{MINE}}"}}}}'
    )
    assert (status, "may start a: some-server --key=${MINE} --token ..." in said) == (0, True)
    assert "s3cret" not in said
    made = load_templates(add.file)["a"]
    assert made.command == (str(add.program), "--key=s3cret", "--token", "s3cret")
    assert made.cwd == "/s3cret"


def test_what_is_there_stays_as_the_operator_wrote_it(add):
    """Otherwise: adding a server changes the command of another one."""
    add.file.write_text('# mine\n[a]\ncommand = ["/bin/true"]\n')
    assert add('{"b": {"command": "some-server"}, "c": {"url": "https://x"}}')[0] == 0
    assert add.file.read_text().startswith('# mine\n[a]\ncommand = ["/bin/true"]\n')
    assert set(tomllib.loads(add.file.read_text())) == {"a", "b"}
    before = add.file.read_text()
    status, said = add('{"a": {"command": "some-server"}}')
    assert (status, "has another template 'a'" in said) == (2, True)
    assert add('{"d": {"command": "some-server"}}', "--only", "nobody")[0] == 2
    assert add('{"d": {"command": "not-on-this-machine"}}')[0] == 2
    assert add('{"d": {"command": "some-server", "args": ["{x}"]}}')[0] == 2
    assert add("[]")[0] == 2
    assert add.file.read_text() == before, "a refusal adds nothing"
    assert [path.name for path in add.file.parent.glob(".stdio*")] == []


def test_a_file_that_cannot_be_read_is_told(add, settings):
    """Otherwise: an operator's typing error is a stack trace."""
    listed = CliRunner().invoke(main.app, ["templates", "list"])
    assert listed.output.startswith("none yet")
    add.file.write_text("[")
    assert CliRunner().invoke(main.app, ["templates", "list"]).exit_code == 2
