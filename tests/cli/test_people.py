"""Logging in and out, and where commands act."""

import json
import stat

import pytest
from typer.testing import CliRunner

from agentxsuite.project import main
from tests.cli.conftest import PASSWORD, Terminal


@pytest.fixture
def cli(stranger, address):
    """Somebody with an account and an organization of their own, and its environment dev."""
    line = ("login", "--register", address, "--org", f"Acme {address}")
    stranger.ok(*line, typed=f"{PASSWORD}\n")
    return stranger


def test_a_login_is_kept_for_its_owner_alone_and_given_back(cli, address):
    """Otherwise: others on the machine read a token, or a token outlives the logout."""
    assert stat.S_IMODE(cli.logins.stat().st_mode) == 0o600
    assert stat.S_IMODE(cli.logins.parent.stat().st_mode) == 0o700
    kept = cli.logins.read_text()
    assert PASSWORD not in kept
    me = cli.json("whoami")
    assert me["email"] == address
    assert set(me) >= {"server", "expiry", "chosen", "id", "organizations", "is_operator"}
    assert f"Acme {address}/dev" in cli.ok("whoami").out

    assert cli.ok("logout").out.startswith("logged out of http://127.0.0.1:")
    token = json.loads(kept)["logins"][0]["token"]
    assert token not in cli.logins.read_text()
    assert cli("whoami").status == 3

    cli.logins.write_text(kept)  # as one who copied the file
    over = cli("orgs", "list")
    assert over.status == 3
    assert "the login" in over.err
    assert "is over" in over.err
    assert "agentxsuite login --server" in over.err
    assert cli("orgs", "list", "--json").json["code"] == "not_logged_in"


def test_who_has_an_account_logs_in_and_chooses_an_organization(cli, address, tmp_path, server):
    """Otherwise: a second machine needs a second account."""
    there = Terminal(tmp_path / "other", server)
    line = ("login", address, "--org", f"ACME {address}")
    assert "acting in Acme" in there.ok(*line, typed=f"{PASSWORD}\n").out
    assert f"Acme {address}" in there.ok("whoami").out.split("acting in")[1]
    assert cli.json("envs", "list") == there.json("envs", "list")
    assert there("login", address, "--org", "Globex", typed=f"{PASSWORD}\n").status == 2


def test_a_wrong_password_is_told_as_such(cli, address):
    """Otherwise: who mistypes is sent to log in again and again, without the reason."""
    before = cli.logins.read_text()
    done = cli("login", address, typed="wrong\n")
    assert done.status == 1
    assert "(wrong_credentials)" in done.err
    assert cli.logins.read_text() == before
    assert cli("login", address).status == 2, "nothing was typed"


def test_an_account_cannot_be_made_twice(stranger, address):
    """Otherwise: a refusal on the first page of the manual cannot be understood."""
    line = ("login", "--register", address)
    stranger.ok(*line, typed=f"{PASSWORD}\n")
    assert stranger(*line, typed=f"{PASSWORD}\n").status == 1
    weak = stranger("login", "--register", f"b{address}", typed="short\n")
    assert weak.status == 1
    assert "  /password: " in weak.err, "field by field"


def test_an_invitation_is_asked_for_and_never_a_word_of_the_command(stranger, address):
    """Otherwise: whoever lists processes reads codes that let them in."""
    done = stranger("login", "--invitation", address, typed=f"{PASSWORD}\nno-such-code\n")
    assert done.status == 1
    assert "(invitation_invalid)" in done.err
    assert stranger("login", "--invitation", address, typed=f"{PASSWORD}\n").status == 2


@pytest.mark.parametrize("words", [("orgs", "list"), ("logout",), ("runs", "list", "--json")])
def test_without_a_login_every_command_says_how_to_get_one(stranger, words):
    """Otherwise: a newcomer reads a stack trace."""
    done = stranger(*words)
    assert done.status == 3
    assert "there is no login to http://127.0.0.1:" in done.err + done.out


def test_nobody_there_is_one_line(stranger, address):
    """Otherwise: a wrong address is told by a stack trace."""
    line = ("login", "--wait", "0", "--server", "http://127.0.0.1:1", address)
    done = stranger(*line, typed=f"{PASSWORD}\n")
    assert done.status == 4
    assert done.err.startswith("error: http://127.0.0.1:1 does not answer")
    assert "Traceback" not in done.err
    told = stranger(*line, "--json", typed=f"{PASSWORD}\n")
    assert (told.status, told.json["code"]) == (4, "unreachable")


def test_another_kind_of_server_is_told_from_ours(stranger, address, upstream):
    """Otherwise: a password goes to a stranger, and what comes back is shown as an answer."""
    other = upstream.removesuffix("/mcp")
    done = stranger("login", "--server", other, address, typed=f"{PASSWORD}\n")
    assert done.status == 4
    assert "but not as AgentxSuite does" in done.err
    assert not stranger.logins.exists()


def test_a_password_does_not_cross_a_network_unencrypted(stranger, address):
    """Otherwise: a slip of the hand gives a password to everybody on the way."""
    line = ("login", "--server", "http://door.example.org", address)
    done = stranger(*line, typed=f"{PASSWORD}\n")
    assert done.status == 2
    assert "cross the network" in done.err
    gone = stranger(*line, "--insecure", "--wait", "0", typed=f"{PASSWORD}\n")
    assert gone.status == 4, "nobody is there, but it was meant"


@pytest.mark.parametrize(
    "server", ["door.example.org", "ftp://x", "https://u:p@x", "https://x?q=1"]
)
def test_what_is_no_address_of_a_server_is_refused(stranger, server):
    """Otherwise: a token is kept under a name that no later command finds."""
    assert stranger("whoami", "--server", server).status == 2


def test_a_file_of_tokens_that_others_can_read_is_not_used(cli):
    """Otherwise: a token that leaked goes on to be used, and nobody is told."""
    cli.logins.chmod(0o644)
    done = cli("whoami")
    assert done.status == 2
    assert "chmod 600" in done.err
    cli.logins.chmod(0o600)
    cli.logins.write_text("{}")
    assert "is not a file of logins" in cli("whoami").err
    cli.logins.unlink()
    cli.logins.mkdir()
    assert "cannot be read" in cli("whoami").err


def test_commands_act_where_they_are_told_to(cli, address):
    """Otherwise: what was meant for one environment happens in another."""
    cli.ok("orgs", "create", f"Second {address}", "--env", "live", "--type", "prod")
    assert cli("envs", "list", "--org", "nowhere").status == 2
    assert [each["name"] for each in cli.json("envs", "list")] == ["dev"], "the first is chosen"
    assert cli.ok("use", f"Second {address}/live").out.startswith("acting in Second")
    assert [each["name"] for each in cli.json("envs", "list")] == ["live"]
    assert cli.json("whoami")["chosen"]["environment"] is not None
    cli.ok("envs", "create", "spare")
    cli.ok("use", f"Second {address}")
    unsure = cli("connections", "sync")
    assert unsure.status == 2
    assert "which environment?" in unsure.err
    assert cli("connections", "sync", "--env", "SPARE").status == 0, "in any case"
    assert cli("use", f"Second {address}/nowhere").status == 2


def test_an_organization_whose_name_has_a_slash_can_be_used(cli, address):
    """Otherwise: an organization cannot be chosen because of its name."""
    cli.ok("orgs", "create", f"A/B {address}")
    cli.ok("use", f"A/B {address}")
    cli.ok("use", f"A/B {address}/dev")
    names = {each["name"]: each["id"] for each in cli.json("orgs", "list")}
    assert cli.json("whoami")["chosen"]["organization"] == names[f"A/B {address}"]


def test_who_is_in_no_organization_is_told_how_to_begin(stranger, address):
    """Otherwise: a new account ends in a refusal that names nothing to do."""
    stranger.ok("login", "--register", address, typed=f"{PASSWORD}\n")
    done = stranger("connections", "list")
    assert done.status == 2
    assert "agentxsuite orgs create NAME" in done.err
    assert "none" in stranger.ok("orgs", "list").out
    assert "acting in" not in stranger.ok("whoami").out


def test_the_version_is_told():
    """Otherwise: nobody can say which version they report a fault of."""
    done = CliRunner().invoke(main.app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, "agentxsuite 0.1.0\n")
