"""What is believed of a caller: from whom, and which part of it."""

from ipaddress import ip_network

import pytest

from agentxsuite.project.proxies import HeaderRefused, Proxies

TRUSTED = [ip_network(each) for each in ("10.0.0.0/24", "2001:db8::1")]


def scope(peer, **headers):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (peer, 7) if peer else None, "headers": lines}


def caller(peer, told):
    return Proxies(TRUSTED, "").seen(scope(peer, x_forwarded_for=told))["client"][0]


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2 ,10.0.0.3", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("2001:db8::1", "198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.1.1", "198.51.100.7", "10.0.1.1"),
        ("::ffff:10.0.1.1", "198.51.100.7", "::ffff:10.0.1.1"),
        ("nowhere", "198.51.100.7", "nowhere"),
    ],
)
def test_a_caller_is_the_nearest_whom_no_proxy_of_ours_is(peer, told, expected):
    """Otherwise: anybody writes themselves an address that a policy lets in."""
    assert caller(peer, told) == expected


def test_a_header_is_taken_off_and_told_in_the_servers_own_words():
    """Otherwise: what only the proxy may say is read where a client could have said it."""
    proxies = Proxies(TRUSTED, "X-Client-Cert")
    seen = proxies.seen(scope("10.0.0.1", x_client_cert="PEM", accept="x"))
    assert seen["headers"] == [(b"accept", b"x")]
    assert seen["extensions"]["tls"]["client_cert_chain"] == ["PEM"]
    empty = proxies.seen(scope("10.0.0.1", x_client_cert=""))
    assert empty["extensions"]["tls"]["client_cert_chain"] == []
    for peer in ("10.0.1.1", "", "nowhere"):
        with pytest.raises(HeaderRefused):
            proxies.seen(scope(peer, x_client_cert="PEM"))
        plain = scope(peer, accept="x")
        assert proxies.seen(plain) is plain


def test_without_proxies_nothing_is_looked_at():
    """Otherwise: a server without a proxy believes somebody, or is slower for nothing."""
    plain = scope("10.0.0.1", x_forwarded_for="198.51.100.7")
    assert Proxies([], "").seen(plain) is plain
