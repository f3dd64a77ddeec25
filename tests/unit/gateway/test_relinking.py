"""URIs in answers, under the names of the environment's address."""

import pytest

from agentxsuite.gateway import relinking

LINK = {"type": "resource_link", "uri": "x:a", "name": "a"}


def test_links_and_embedded_resources_are_renamed_and_nothing_else():
    """Otherwise: agents could not read what a tool points at."""
    text = {"type": "text", "uri": "x:a"}
    embedded = {"type": "resource", "resource": {"uri": "x:b", "blob": "="}}
    told = relinking.of_call({"content": [text, LINK, embedded], "x": 1}, "s")
    assert told["content"] == [
        text,
        {**LINK, "uri": "s+x:a"},
        {"type": "resource", "resource": {"uri": "s+x:b", "blob": "="}},
    ]
    assert told["x"] == 1


@pytest.mark.parametrize("content", [None, "text", 7, [], [7], [{"type": "text"}]])
def test_a_result_without_resources_is_the_same(content):
    """Otherwise: what a server answers oddly would break on the way."""
    result = {"content": content}
    assert relinking.of_call(result, "s") is result


def test_odd_blocks_are_handed_on():
    """Otherwise: what a server answers oddly would break on the way."""
    odd = [{"type": "resource"}, {"type": "resource", "resource": 7}, {"type": "resource_link"}]
    told = relinking.of_call({"content": [*odd, LINK]}, "s")
    assert [{k: v for k, v in each.items() if v is not None} for each in told["content"][:3]] == odd


def test_messages_of_a_prompt_have_one_block_or_many():
    """Otherwise: some prompts would point at nothing."""
    messages = [{"content": LINK}, {"content": [LINK, 7]}, {"content": "text"}, 7, {}]
    told = relinking.of_prompt({"messages": messages}, "s")["messages"]
    renamed = {**LINK, "uri": "s+x:a"}
    assert told == [{"content": renamed}, {"content": [renamed, 7]}, {"content": "text"}, 7, {}]
    assert relinking.of_prompt({"messages": 7}, "s") == {"messages": 7}


def test_what_was_read_says_what_it_is():
    """Otherwise: a client would keep it under a name that it never asked for."""
    contents = [{"uri": "x:a", "text": ""}, {"uri": 7}, 7]
    told = relinking.of_reading({"contents": contents}, "s")["contents"]
    assert told == [{"uri": "s+x:a", "text": ""}, {"uri": 7}, 7]
    assert relinking.of_reading({}, "s") == {}
