"""Every house rule finds the sample that breaks it, and leaves the mended one alone."""

import subprocess
from pathlib import Path

import pytest

from tests.house import addresses, migrations, papers, reasons, sizes
from tests.house.tree import Tree

OPEN_END = "todo".upper()  # what the samples need, but the rules must not find in this file
REGISTRY = "https://PYPI.ORG/project/".lower()
SETTINGS = papers.SETTINGS
PAGE = "| variable | meaning |\n| - | - |\n| `%s` | x |\n"
STORY = "src/agentxsuite/gateway/pipeline.py"
PYPROJECT = """
[tool.ruff.lint]
select = ["ALL"]
ignore = [%s]
[tool.ruff.lint.mccabe]
max-complexity = %s
"""
HASH = "--hash=sha256:" + "0" * 64
HANDLER = "try:\n    pass\nexcept %s\n    pass\n"
MODEL = (
    "from django.db import models\n\n\nclass Thing(models.Model):\n    name = models.TextField()\n"
)
PROJECT = "INSTALLED_APPS = ['things']\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n"
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", [
        ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False,
                                verbose_name="ID")),
        ("name", models.TextField()),
    ])]
"""
APP = {
    SETTINGS: PROJECT,
    "src/agentxsuite/__init__.py": "",
    "src/agentxsuite/project/__init__.py": "",
    "src/things/__init__.py": "",
    "src/things/models.py": MODEL,
}

CASES = [
    (sizes.files, {"a.py": "x = 1\n" * 401}, {"a.py": "x = 1\n" * 400}, "401 lines"),
    (
        sizes.functions,
        {"a.py": "def f():\n" + "    x = 1\n" * 50},
        {"a.py": "def f():\n" + "    x = 1\n" * 49},
        "f has 51 lines",
    ),
    (
        sizes.arguments,
        {"a.py": "class A:\n    def f(self, a, b, /, c, d, *e, f, **g): ...\n"},
        {"a.py": "class A:\n    def f(self, a, b, /, c, d, *e, f): ...\n"},
        "f takes 7 arguments",
    ),
    (
        sizes.complexity,
        {"pyproject.toml": PYPROJECT % ("", 9)},
        {"pyproject.toml": PYPROJECT % ("", 8)},
        "max-complexity is 9",
    ),
    (
        sizes.complexity,
        {"pyproject.toml": PYPROJECT % ('"C9"', 8)},
        {"pyproject.toml": PYPROJECT % ('"C4"', 8)},
        "does not check complexity",
    ),
    (
        reasons.suppressions,
        {"a.py": "import os  # noqa: F401\n"},
        {"a.py": "import os  # noqa: F401  # kept for its effect\n"},
        "no reason beside",
    ),
    (
        reasons.suppressions,
        {"a.py": "x = 1  # counts the rows\ny = x()  # type: ignore[operator]\n"},
        {"a.py": "# x is callable at run time\ny = x()  # type: ignore[operator]\n"},
        "a.py:2",
    ),
    (
        reasons.suppressions,
        {"a.py": "if x:  # pragma: no cover\n    pass\n"},
        {"a.py": "if x:  # pragma: no cover -- only on Windows\n    pass\n"},
        "no reason beside",
    ),
    (
        reasons.catch_alls,
        {"a.py": HANDLER % "Exception:"},
        {"a.py": HANDLER % "Exception:  # a plug-in may raise anything"},
        "a.py:3",
    ),
    (
        reasons.catch_alls,
        {"a.py": HANDLER % "(OSError, BaseException):"},
        {"a.py": HANDLER % "(OSError, ValueError):"},
        "handler of every exception",
    ),
    (reasons.open_ends, {"a.sh": f"# {OPEN_END} later\n"}, {"a.sh": "# later\n"}, OPEN_END),
    (
        addresses.registries,
        {"a.md": REGISTRY},
        {"a.md": "https://example.org/simplest"},
        "names a package registry",
    ),
    (
        addresses.machine_paths,
        {"a.toml": f"path = '{Path.home()}/x'"},
        {"a.toml": f"path = 'somewhere{Path.home()}/x'"},
        "a path of this machine",
    ),
    (
        addresses.lock,
        {"requirements.lock": "a==1\n"},
        {"requirements.lock": f"a==1 \\\n    {HASH}\n    # via b\n"},
        "no hash: a",
    ),
    (
        addresses.lock,
        {"requirements.lock": f"a>=1 {HASH}\n"},
        {"requirements.lock": f"a[b]==1.2 ; python_version < '3.12' {HASH}\n"},
        "no exact version: a>=1",
    ),
    (
        addresses.lock,
        {"requirements.lock": "--index-url x\n"},
        {"requirements.lock": "# made by make lock\n"},
        "an address or an option",
    ),
    (
        papers.settings,
        {"src/agentxsuite/cli/client.py": "X = os.environ.get('LIMIT')\n"},
        {"src/agentxsuite/x.py": "X = os.environ['LIMIT']\n", "docs/settings.md": PAGE % "LIMIT"},
        "does not document LIMIT",
    ),
    (
        papers.settings,
        {SETTINGS: "LIMIT = 3\n", "docs/settings.md": PAGE % "LIMIT"},
        {SETTINGS: "LIMIT = 3\n"},
        "nothing reads LIMIT",
    ),
    (
        papers.settings,
        {SETTINGS: "\n".join(f"A = env('LIMIT_{n}')" for n in range(41))},
        {SETTINGS: ""},
        "41 settings, at most 40",
    ),
    (
        papers.story,
        {"docs/one-call.md": "`gateway.pipeline.call_it`", STORY: "def call_tool(): ...\n"},
        {"docs/one-call.md": "`gateway.pipeline.call_tool()`", STORY: "def call_tool(): ...\n"},
        "no gateway.pipeline.call_it",
    ),
    (
        papers.story,
        {"docs/one-call.md": "`gateway.gate.Gate.open` and `gateway.limits.take`"},
        {
            "docs/one-call.md": "`gateway.gate.Gate.open` and `engines.limits.take`",
            "src/agentxsuite/gateway/gate.py": "class Gate:\n    def open(self): ...\n",
            "src/agentxsuite/engines/limits/__init__.py": "from .bucket import take\n",
        },
        "no gateway.gate.Gate.open",
    ),
    (
        papers.story,
        {"docs/one-call.md": "nothing"},
        {"docs/one-call.md": "`gateway.pipeline`", STORY: ""},
        "names no function",
    ),
    (
        papers.links,
        {"docs/a.md": "[x](b.md)"},
        {"docs/a.md": "[x](b.md), [y](https://x.example/b), [z](../docs)", "docs/b.md": ""},
        "links to b.md",
    ),
    (
        papers.links,
        {"a.md": "# Two words\n[x](#two)"},
        {"a.md": "# `Two` words!\n[x](#two-words)"},
        "no heading two",
    ),
    (
        migrations.packages,
        APP,
        {**APP, "src/things/migrations/__init__.py": ""},
        "src/things/models.py: no migrations beside it",
    ),
    (
        migrations.missing,
        {**APP, "src/things/migrations/__init__.py": ""},
        {
            **APP,
            "src/things/migrations/__init__.py": "",
            "src/things/migrations/0001_initial.py": MIGRATION,
        },
        "makemigrations --check",
    ),
]


@pytest.fixture
def plant(tmp_path):
    """Write files into a checkout of their own."""

    def plant(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Tree(tmp_path, tuple(files))

    return plant


@pytest.mark.parametrize(("rule", "broken", "_mended", "expected"), CASES)
def test_a_broken_rule_is_found(plant, rule, broken, _mended, expected):
    """Else the budgets would slip without anybody noticing."""
    assert expected in "\n".join(rule(plant(broken)))


@pytest.mark.parametrize(("rule", "_broken", "mended", "_expected"), CASES)
def test_the_mended_sample_passes(plant, rule, _broken, mended, _expected):
    """Else people would learn to ignore the check."""
    assert list(rule(plant(mended))) == []


def test_a_checkout_is_what_git_tracks_or_would(plant):
    """Else the rules would judge a virtual environment, or miss a file that is new."""
    tree = plant({"kept.py": "", "new.py": "", ".venv/far.py": "", ".gitignore": ".venv/\n"})
    subprocess.run(["git", "init", "-q"], cwd=tree.root, check=True)
    subprocess.run(["git", "add", "kept.py", ".gitignore"], cwd=tree.root, check=True)
    assert Tree.of_checkout(tree.root).names == (".gitignore", "kept.py", "new.py")


def test_generated_migrations_have_no_budget(plant):
    """Else a long first migration could not be committed as Django wrote it."""
    tree = plant({"src/a/migrations/0001_initial.py": "x = 1\n" * 500})
    assert list(sizes.files(tree)) == []


def test_medians_are_told(plant):
    """Else nobody would see the code grow before it hits the limits."""
    said = sizes.medians(plant({"a.py": "def f():\n    pass\n", "b.py": "x = 1\n" * 4}))
    assert said == "2 files, median 3 lines, longest 4; 1 functions, median 2 lines, longest 2"
