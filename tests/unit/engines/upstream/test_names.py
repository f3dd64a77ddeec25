import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.engines.upstream.names import mcp_name

SLUGS = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
NAMES = st.one_of(
    st.text(min_size=1, max_size=300),
    st.from_regex(r"[a-zA-Z0-9_.-]{1,80}", fullmatch=True),
    st.from_regex(r"[ab_]{0,4}_[0-9a-f]{16}", fullmatch=True),
)


@pytest.mark.parametrize(
    ("slug", "upstream_name", "name"),
    [
        ("pdf", "read", "pdf__read"),
        ("git", "git_log", "git__git_log"),
        ("a", "_b", "a___b"),
        ("a", "x" * 61, "a__" + "x" * 61),
        ("s3-eu", "list-Buckets_2", "s3-eu__list-Buckets_2"),
    ],
)
def test_a_plain_name_stays_readable(slug, upstream_name, name):
    """A model would see a hash where a word would tell what the tool is for."""
    assert mcp_name(slug, upstream_name) == name


@pytest.mark.parametrize(
    ("upstream_name", "name"),
    [
        ("files.read", "pdf__files_read_0000000000000000"),
        ("x" * 62, "pdf__" + "x" * 42 + "_" + "0" * 16),
        ("☃", "pdf___" + "0" * 16),
    ],
)
def test_another_name_gets_a_short_form(upstream_name, name):
    """A model API would refuse the whole list of tools because of one name."""
    made = mcp_name("pdf", upstream_name)
    assert re.sub(r"[0-9a-f]{16}\Z", "", made) == re.sub(r"[0-9a-f]{16}\Z", "", name)


def test_short_forms_are_for_ever():
    """An agent's stored plan would name a tool that is called otherwise after an update."""
    assert mcp_name("pdf", "files.read") == "pdf__files_read_601e4eb608f9175e"


@given(SLUGS, NAMES)
def test_every_name_is_one_that_model_apis_accept(slug, upstream_name):
    """As above, for every name a server can think of."""
    made = mcp_name(slug, upstream_name)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", made)
    assert made.startswith(f"{slug}__")


@given(st.tuples(SLUGS, NAMES), st.tuples(SLUGS, NAMES))
def test_no_two_tools_have_one_name(one, other):
    """A call would go to another tool than the one that was seen."""
    assert (mcp_name(*one) == mcp_name(*other)) is (one == other)


@given(SLUGS, NAMES)
def test_no_tool_can_take_another_ones_short_form(slug, upstream_name):
    """A server could shadow a tool by naming one of its own after the other's short form."""
    made = mcp_name(slug, upstream_name)
    imposter = made.removeprefix(f"{slug}__")
    if imposter != upstream_name:
        assert mcp_name(slug, imposter) != made
