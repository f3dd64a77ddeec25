"""Addresses of upstreams, taken apart."""

import pytest

from agentxsuite.engines.upstream import Endpoint, EndpointInvalid, check_endpoint, check_headers
from agentxsuite.engines.upstream.endpoint import Command, Web, locate


@pytest.mark.parametrize(
    ("url", "web", "authority"),
    [
        ("https://a.example/mcp", Web("https", "a.example", 443, "/mcp"), "a.example"),
        ("HTTPS://A.Example", Web("https", "a.example", 443, "/"), "a.example"),
        ("https://a.example.:8443/x?y=1", Web("https", "a.example", 8443, "/x?y=1"), None),
        ("http://127.0.0.1:80/", Web("http", "127.0.0.1", 80, "/"), "127.0.0.1"),
        ("http://my_host:9000/", Web("http", "my_host", 9000, "/"), "my_host:9000"),
        ("https://[2606:4700:0:0::1]/", Web("https", "2606:4700::1", 443, "/"), "[2606:4700::1]"),
    ],
)
def test_web_addresses(url, web, authority):
    """A proper address would be refused, or the upstream asked under another name."""
    assert locate(url) == web
    assert authority is None or web.authority == authority


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("stdio://git", Command("git", ())),
        ("stdio://git?a=1&b=", Command("git", (("a", "1"), ("b", "")))),
        ("stdio://git?a=x%20y+z", Command("git", (("a", "x y z"),))),
    ],
)
def test_commands(url, command):
    """A command template could not be chosen or filled."""
    assert locate(url) == command


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "endpoint_malformed"),
        ("https://a b/", "endpoint_malformed"),
        ("https://a.example/\n", "endpoint_malformed"),
        ("https://ä.example/", "endpoint_malformed"),
        ("https://a.example/" + "x" * 2048, "endpoint_malformed"),
        ("https://[::1/", "endpoint_malformed"),
        ("https://a.example:99999/", "endpoint_malformed"),
        ("https://a.example:0/", "endpoint_malformed"),
        ("https://a.example/#x", "endpoint_malformed"),
        ("https://u:p@a.example/", "endpoint_credentials"),
        ("https:///mcp", "endpoint_host"),
        ("https://-a.example/", "endpoint_host"),
        ("https://a..example/", "endpoint_host"),
        ("https://" + "a." * 127 + "example/", "endpoint_host"),
        ("https://1.2.3/", "endpoint_host"),
        ("https://0x7f.1/", "endpoint_host"),
        ("https://[fe80::1%25eth0]/", "endpoint_host"),
        ("ftp://a.example/", "endpoint_scheme"),
        ("file:///etc/passwd", "endpoint_scheme"),
        ("a.example/mcp", "endpoint_scheme"),
        ("sse+stdio://git", "endpoint_scheme"),
        ("sse+https://u:p@a.example/sse", "endpoint_credentials"),
        ("stdio://", "endpoint_malformed"),
        ("stdio://Git", "endpoint_malformed"),
        ("stdio:///bin/sh", "endpoint_malformed"),
        ("stdio://git/x", "endpoint_malformed"),
        ("stdio://git?a", "endpoint_malformed"),
        ("stdio://git?a=%ff", "endpoint_malformed"),
        ("stdio://git?" + "&".join(f"a{n}=1" for n in range(40)), "endpoint_malformed"),
    ],
)
def test_refused_addresses(url, code):
    """An address that never works would be stored, or one that means something else would."""
    with pytest.raises(EndpointInvalid) as caught:
        check_endpoint(url, {})
    assert caught.value.code == code
    assert not caught.value.sent


def test_template_is_checked_when_written(templates):
    """A person would learn only at the first call that a parameter is wrong."""
    check_endpoint("stdio://pipes?era=handshake", templates)
    for url, code in (
        ("stdio://nobody", "endpoint_template"),
        ("stdio://pipes?era=NO", "endpoint_parameter"),
        ("stdio://pipes?other=1", "endpoint_parameter"),
        ("stdio://pipes?era=a&era=b", "endpoint_parameter"),
        ("stdio://echo", "endpoint_parameter"),
    ):
        with pytest.raises(EndpointInvalid) as caught:
            check_endpoint(url, templates)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "header",
    [
        ("a b", "x"),
        ("", "x"),
        ("a", "x\r\nb: c"),
        ("a", "x\0"),
        ("Host", "x"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("MCP-Session-Id", "x"),
        ("connection", "close"),
    ],
)
def test_refused_headers(header):
    """A stored header could smuggle a second request or undo the protocol."""
    with pytest.raises(EndpointInvalid) as caught:
        check_headers([("X-Fine", "yes"), header])
    assert caught.value.code == "endpoint_header"


def test_no_credential_in_a_repr():
    """A credential would end up in a log or a traceback."""
    endpoint = Endpoint("c1", "https://a/?key=K1", (("Authorization", "K2"),), "K3")
    assert repr(endpoint) == "Endpoint(id='c1')"
