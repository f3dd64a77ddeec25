"""A certificate is the same one, however it is written."""

import hashlib
from base64 import b64encode
from urllib.parse import quote

import pytest

from agentxsuite.engines.tokens import CertificateInvalid, pinned_digest, read_certificate
from tests.servers.certificates import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made.of(tmp_path_factory.mktemp("certificates"), "robot")


def test_every_way_to_write_it_means_the_same(made):
    """Otherwise: an agent is let in or not by which proxy stands before the server."""
    plain = b64encode(made.der).decode()
    ways = [made.pem, quote(made.pem), plain, f":{plain}:", quote(plain), f"  {made.pem}\n"]
    assert {read_certificate(way).digest for way in ways} == {hashlib.sha256(made.der).hexdigest()}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: ":",
        lambda _: "%00%ff",
        lambda _: "é",
        lambda pem: pem[:-40],
        lambda pem: pem + pem,
        lambda pem: pem.replace("CERTIFICATE", "PRIVATE KEY"),
        lambda pem: pem * 100,
    ],
)
def test_what_is_no_single_certificate_is_refused(made, spoil):
    """Otherwise: garbage in a header crashes the door, or a chain means one of its parts."""
    with pytest.raises(CertificateInvalid):
        read_certificate(spoil(made.pem))


def test_it_is_valid_between_its_times(made):
    """Otherwise: an expired certificate is as good as a fresh one."""
    read = read_certificate(made.pem)
    assert read.holds(read.not_before)
    assert read.holds(read.not_after)
    assert not read.holds(read.not_before - 1)
    assert not read.holds(read.not_after + 1)


def test_a_pin_is_the_certificate_or_its_digest(made):
    """Otherwise: who has only the fingerprint, as tools print it, cannot pin it."""
    digest = hashlib.sha256(made.der).hexdigest()
    coloned = ":".join(digest[place : place + 2] for place in range(0, 64, 2)).upper()
    ways = [made.pem, digest, coloned, f"SHA256:{digest}", f"sha-256={coloned}\n"]
    assert {pinned_digest(way) for way in ways} == {digest}
    for wrong in (digest[:-2], digest + "00", "z" * 64):
        with pytest.raises(CertificateInvalid):
            pinned_digest(wrong)
