"""Addresses of Redis, as operators write them."""

import pytest

from agentxsuite.engines.limits.address import Address


@pytest.mark.parametrize(
    ("url", "host", "port", "database", "login"),
    [
        ("redis://", "localhost", 6379, 0, ()),
        ("redis://cache", "cache", 6379, 0, ()),
        ("redis://cache:7000/3", "cache", 7000, 3, ()),
        ("redis://cache/?db=4", "cache", 6379, 4, ()),
        ("redis://:pass%40word@cache", "cache", 6379, 0, ("pass@word",)),
        ("redis://me:secret@[::1]:7000/1", "::1", 7000, 1, ("me", "secret")),
    ],
)
def test_an_address_is_understood(url, host, port, database, login):
    """The limiter talks to another server or database than the operator meant."""
    address = Address.parse(url)
    assert (address.host, address.port, address.database) == (host, port, database)
    assert (address.login, address.socket, address.tls) == (login, "", None)


def test_a_socket_is_understood():
    """A local Redis without a port cannot be used."""
    address = Address.parse("unix://:secret@/run/my%20redis.sock?db=2")
    assert (address.socket, address.database) == ("/run/my redis.sock", 2)
    assert address.greeting() == [("AUTH", "secret"), ("SELECT", "2")]


def test_tls_verifies_who_answers():
    """Anyone in between reads and grants limits."""
    tls = Address.parse("rediss://cache").tls
    assert tls is not None
    assert (tls.check_hostname, tls.verify_mode.name) == (True, "CERT_REQUIRED")


@pytest.mark.parametrize(
    "url",
    [
        "http://canary@cache",
        "cache:6379",
        "redis://:canary@cache/?ssl_cert_reqs=none",
        "redis://:canary@cache/zero",
        "redis://:canary@cache/-1",
        "redis://:canary@cache:port",
        "redis://:canary@a..b",
        "rediss://:canary@cache/0?socket_timeout=1",
    ],
)
def test_what_is_not_understood_is_refused(url):
    """A misspelt address is used as something else, or shows its password in the log."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        Address.parse(url)
    assert "canary" not in str(caught.value)


def test_a_printed_address_hides_the_password():
    """A log line gives the password away."""
    assert "canary" not in repr(Address.parse("redis://me:canary@cache"))
