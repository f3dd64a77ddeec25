"""What policies call a resource: however its URI is spelled, one thing has one name."""

import pytest

from agentxsuite.gateway.naming import Unnameable, resource_beginning, resource_target

PAGE = "resource:web/http/intra.example/hr/pay"


@pytest.mark.parametrize(
    "uri",
    [
        "http://intra.example/hr/pay",
        "HTTP://Intra.Example./hr/pay/",
        "http://intra.example:80/hr/pay",
        "http://intra.example:080/hr/pay",
        "http://intra.example:/hr/pay",
        "http://somebody@intra.example/hr/pay#salary",
        "http://%69ntra.example/hr/pay",
    ],
)
def test_spellings_of_one_page_have_one_target(uri):
    """Otherwise: a rule that denies a page is passed by writing its address in another way."""
    assert resource_target("web", uri) == PAGE


@pytest.mark.parametrize(
    ("uri", "authority"),
    [
        ("https://[0:0::1]/a", "[::1]"),
        ("https://[::1]:444/a", "[::1]:444"),
        ("wss://10.0.0.1./a", "10.0.0.1"),
        ("http://example.org:0/a", "example.org:0"),
        ("note://Desk:1/a", "Desk:1"),
        ("file://LOCALHOST/a", "_"),
        ("file:/a", "_"),
        ("note:a", "_"),
    ],
)
def test_hosts_have_one_form(uri, authority):
    """Otherwise: a rule about a machine misses its other addresses."""
    assert resource_target("web", uri).split("/")[2] == authority


@pytest.mark.parametrize(
    "uri",
    [
        "http:/intra.example/hr/pay",  # all of these are read as http://intra.example/hr/pay
        "http:intra.example/hr/pay",
        "http:///intra.example/hr/pay",
        "http://intr\u00e4.example/a",  # and is xn--... as well
        "http://127.1/a",
        "http://0x7f.0.0.1/a",
        "http://2130706433/a",
        "http://[::1/a",
        "http://[1]/a",
        "http://a:b/a",
        "http:",
        "no scheme",
        "file:///a%2fb",
    ],
)
def test_what_has_several_readings_has_no_target(uri):
    """Otherwise: policies judge one page, and the server reads another."""
    with pytest.raises(Unnameable):
        resource_target("web", uri)


@pytest.mark.parametrize(
    ("template", "beginning"),
    [
        ("http://intra.example/hr/{page}", "resource:web/http/intra.example/hr"),
        ("http:/intra.example/{page}", "resource:web/http"),
        ("{anything}", "resource:web"),
    ],
)
def test_templates_begin_where_their_resources_do(template, beginning):
    """Otherwise: a list breaks, or hides what somebody may read."""
    assert resource_beginning("web", template) == beginning
