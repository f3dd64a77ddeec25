"""What policies call resources and prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentxsuite.gateway.naming import (
    Unnameable,
    prompt_target,
    qualified,
    resource_beginning,
    resource_target,
)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("file:///a/b.txt", "resource:s/file/_/a/b.txt"),
        ("file:/a/b.txt", "resource:s/file/_/a/b.txt"),
        ("file://LOCALHOST/a", "resource:s/file/_/a"),
        ("FILE:///a", "resource:s/file/_/a"),
        ("test://static-text", "resource:s/test/static-text"),
        ("note://Mine/x", "resource:s/note/Mine/x"),
        ("urn:isbn:1", "resource:s/urn/_/isbn:1"),
        ("https://evil.example", "resource:s/https/evil.example"),
        ("https://evil.example/", "resource:s/https/evil.example"),
        ("https://me@EVIL.example.:443/a/#part", "resource:s/https/evil.example/a"),
        ("https://%65vil.example/a", "resource:s/https/evil.example/a"),
        ("https://evil.example:8443/a", "resource:s/https/evil.example:8443/a"),
        ("https://h/a?x=1", "resource:s/https/h/a?x=1"),
        ("https://h/a?", "resource:s/https/h/a"),
        ("https://h?x=/y", "resource:s/https/h/?x=%2Fy"),
        ("https://h/a/?x#y", "resource:s/https/h/a/?x"),
        ("x:", "resource:s/x/_"),
    ],
)
def test_what_servers_take_for_the_same_has_one_target(uri, target):
    """Otherwise: a rule about a resource would miss it under another spelling."""
    assert resource_target("s", uri) == target


@pytest.mark.parametrize(
    "uri", ["", "a/b", "://x", "1:a", "file:///a%2Fb", "file:///a%5cb", "x:\\a"]
)
def test_what_hides_its_segments_has_no_target(uri):
    """Otherwise: a separator in disguise would lead around a rule."""
    with pytest.raises(Unnameable):
        resource_target("s", uri)


@pytest.mark.parametrize(
    ("template", "beginning"),
    [
        ("file:///pub/{name}", "resource:s/file/_/pub"),
        ("file:///pub/a{name}", "resource:s/file/_/pub"),
        ("file:///{+path}", "resource:s/file/_"),
        ("https://h{x}/a", "resource:s/https"),
        ("https://h/{x}", "resource:s/https/h"),
        ("https://h/a/b{?x}", "resource:s/https/h/a"),
        ("https://h/a/b?x={x}", "resource:s/https/h/a"),
        ("x:{y}", "resource:s/x"),
        ("x:/{y}", "resource:s/x"),
        ("x:a/{y}", "resource:s/x/_/a"),
        ("{scheme}://h/a", "resource:s"),
    ],
)
def test_a_template_is_known_by_how_it_begins(template, beginning):
    """Otherwise: templates would be hidden that can become something allowed."""
    assert resource_beginning("s", template) == beginning


path = st.lists(st.text("ab.-_", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@given(path, st.text("abc/?#.", max_size=6), st.sampled_from(["file:///", "x:", "https://h/"]))
def test_whatever_a_template_becomes_begins_so(before, inserted, start):
    """Otherwise: a template would be judged by what it can never be."""
    uri, template = f"{start}{before}/{inserted}", f"{start}{before}/{{x}}"
    assert f"{resource_target('s', uri)}/".startswith(f"{resource_beginning('s', template)}/")


def test_prompts_are_one_segment_and_resources_carry_their_server():
    """Otherwise: names could be taken apart in two ways."""
    assert prompt_target("s", "a/ü") == "prompt:s/a%2F%C3%BC"
    assert qualified("s", "file:///x") == "s+file:///x"
