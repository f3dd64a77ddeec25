"""Command templates: what an operator may write, and what a tenant may not do with it."""

from urllib.parse import quote

import pytest

from agentxsuite.engines.upstream import EndpointInvalid, Template, TemplateInvalid, load_templates
from agentxsuite.engines.upstream.endpoint import Command, locate
from agentxsuite.engines.upstream.parameters import Choice, Integer, Path, Text

FILE = """
[git]
command = ["/usr/bin/git-server", "{mode}", "--depth={depth}", "--base={base}", "--tag={tag}"]
secret_variable = "GIT_TOKEN"
cwd = "/srv"
env = { LANG = "C.UTF-8" }
[git.parameters.mode]
type = "enum"
values = ["read", "write"]
default = "read"
[git.parameters.depth]
type = "integer"
minimum = -5
maximum = 10
default = 3
[git.parameters.base]
type = "path"
under = "%s"
[git.parameters.tag]
type = "string"
pattern = "[a-z]+( [a-z]+)*"
default = "main"
[git.limits]
memory_mib = 512
"""


@pytest.fixture
def git(tmp_path):
    """The template of the file above; its paths lie below ``tmp_path/base``."""
    (tmp_path / "base" / "repo").mkdir(parents=True)
    (tmp_path / "base" / "out").symlink_to(tmp_path)
    file = tmp_path / "templates.toml"
    file.write_text(FILE % (tmp_path / "base"))
    return load_templates(file)["git"]


def filled(template, url):
    where = locate(url)
    assert isinstance(where, Command)
    return template.fill(where)


def test_a_whole_file(git, tmp_path):
    """An operator could not say which commands there are."""
    assert git.name == "git"
    assert git.cwd == "/srv"
    assert git.limits.memory_mib == 512
    assert filled(git, "stdio://git?base=repo") == (
        "/usr/bin/git-server",
        "read",
        "--depth=3",
        f"--base={tmp_path}/base/repo",
        "--tag=main",
    )
    url = f"stdio://git?base={tmp_path}/base/repo/../repo&mode=write&depth=-05&tag=a%20b"
    assert filled(git, url)[1:] == (
        "write",
        "--depth=-5",
        f"--base={tmp_path}/base/repo",
        "--tag=a b",
    )


def test_environment_is_the_templates_own(git, monkeypatch):
    """The server's own secrets would be handed to every command."""
    monkeypatch.setenv("SECRET_KEY", "ours")
    assert git.environment("s3cret") == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "GIT_TOKEN": "s3cret",
    }
    assert "GIT_TOKEN" not in git.environment(None)
    assert "s3cret" not in Template("t", ("/bin/cat",)).environment("s3cret").values()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "base=..",
        "base=/etc/passwd",
        "base=/",
        "base=out",
        "base=out/../..",
        "base=repo%00",
        "base=repo&mode=delete",
        "base=repo&mode=READ",
        "base=repo&mode=",
        "base=repo&depth=11",
        "base=repo&depth=1e1",
        "base=repo&depth=0x1",
        "base=repo&depth=%D9%A3x",
        "base=repo&depth=" + "9" * 30,
        "base=repo&depth=1%0A",
        "base=repo&tag=-x",
        "base=repo&tag=a;b",
        "base=repo&tag=a%0Ab",
        "base=repo&tag=$(id)",
        "base=repo&tag=" + "a" * 2000,
        "base=repo&command=/bin/sh",
        "base=repo&base=repo",
        "base=repo&env=x",
    ],
)
def test_what_a_tenant_may_not_fill_in(git, query):
    """A tenant could make the command do what its operator did not mean."""
    with pytest.raises(EndpointInvalid) as caught:
        filled(git, f"stdio://git?{query}" if query else "stdio://git")
    assert caught.value.code == "endpoint_parameter"


PAYLOADS = [
    "; id",
    "&& id",
    "| id",
    "`id`",
    "$(id)",
    "${IFS}id",
    "$HOME",
    "%PATH%",
    "'",
    '"',
    "\\",
    "' --evil '",
    '" --evil "',
    "a --evil",
    "a\t--evil",
    "a\n--evil",
    "a\r\n--evil",
    "a\0--evil",
    "--evil",
    "-e",
    "=x",
    "{text}",
    "{era}",
    "{0}",
    "%s%n",
    "~base",
    "*",
    "?",
    "[a-z]",
    "<(id)",
    "> /tmp/x",
    "# comment",
    "!!",
    "ä\u202eevil",
    "\u2028--evil",
    "TOKEN=evil",
    "../../etc/passwd",
    "A" * 1024,
]


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_payloads_stay_in_their_argument(upstreams, at, payload):
    """A tenant could run a command of their own on the server."""
    endpoint = at(f"stdio://echo?text={quote(payload)}", secret="s3cret")
    try:
        told = await upstreams.call_tool(endpoint, "about", {}, timeout=10)
    except EndpointInvalid:
        assert payload.startswith("-") or not payload.isprintable()
        return
    assert told["argv"] == ["stateless", payload, f"--flag={payload}"]
    assert set(told["env"]) <= {"PATH", "LC_CTYPE"}


def broken(**changes):
    whole = {"name": "t", "command": ("/bin/cat",), **changes}
    return lambda: Template(**whole)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (broken(name="T"), "name"),
        (broken(command=()), "absolute path"),
        (broken(command=("cat",)), "absolute path"),
        (broken(command=("/bin/{x}",), parameters={"x": Text(pattern="a")}), "absolute path"),
        (broken(command=("/bin/cat", "{x}")), "placeholders"),
        (broken(parameters={"x": Text(pattern="a")}), "placeholders"),
        (
            broken(
                command=("/bin/cat", "{x}{y}"),
                parameters={"x": Text(pattern="a"), "y": Text(pattern="a")},
            ),
            "placeholders",
        ),
        (broken(cwd="here"), "cwd"),
        (broken(secret_variable="A B"), "secret_variable"),
        (broken(secret_variable="LD_PRELOAD"), "secret_variable"),
        (broken(secret_variable="PATH"), "secret_variable"),
        (lambda: Text(pattern="("), "pattern"),
        (lambda: Path(under="here"), "absolute"),
    ],
)
def test_broken_templates(make, rule):
    """An operator's slip would become a hole."""
    with pytest.raises(ValueError, match=rule):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "t = 1",
        "[t]",
        '[t]\ncommand = "/bin/cat"',
        '[t]\ncommand = ["/bin/cat"]\nshell = true',
        '[t]\ncommand = ["/bin/cat", "{x}"]\n[t.parameters.x]\ntype = "float"',
        '[t]\ncommand = ["/bin/cat", "{x}"]\n[t.parameters.x]\ntype = "string"\npattern = "("',
        '[t]\ncommand = ["/bin/cat", "{x}"]\n[t.parameters.x]\ntype = "enum"\nvalues = []',
        '[t]\ncommand = ["cat"]',
    ],
)
def test_broken_files(tmp_path, text):
    """The server would start with half of its operator's templates."""
    file = tmp_path / "templates.toml"
    file.write_text(text)
    with pytest.raises(TemplateInvalid, match=r"templates\.toml"):
        load_templates(file)


def test_patterns_cannot_hang():
    """A tenant could stop the worker with one clever parameter."""
    with pytest.raises(ValueError, match="form"):
        Text(pattern="(a+)+b").accept("a" * 1000)
    assert Choice(values=("a", "b")).accept("b") == "b"
    assert Integer(minimum=0, maximum=9).accept("007") == "7"
