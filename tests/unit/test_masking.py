"""Secrets that were used are not read in a log, however they are written there."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from agentxsuite.masking import MASK, Secrets, spellings

SECRET = 'p/a+s s"wörd?~\n'
WRITTEN = {
    "raw": str,
    "repr": repr,
    "json": json.dumps,
    "url": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "lower": lambda text: re.sub("%..", lambda each: each[0].lower(), quote(text, safe="")),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "urlsafe": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "unpadded": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


@pytest.fixture
def secrets():
    made = Secrets()
    made.learn(SECRET)
    return made


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_masked_in_every_spelling(secrets, write):
    """Otherwise: whoever reads the log only has to decode what stands there."""
    whole = secrets.mask(f"before {write(SECRET)}, after")
    assert MASK in whole
    assert not [each for each in spellings(SECRET) if each in whole]
    assert (whole.startswith("before "), whole.endswith(", after")) == (True, True)


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_base64_of_a_longer_text_is_masked_too(secrets, before, after):
    """Otherwise: the header of basic authentication stands in the log, which is the password."""
    pair = b64encode(f"{before}{SECRET}{after}".encode()).decode()
    assert len(secrets.mask(pair).replace(MASK, "")) <= 4 + len(before) * 2 + len(after) * 2
    assert MASK in secrets.mask(pair)


def test_what_is_short_is_left_alone():
    """Otherwise: an empty secret masks every line."""
    known = Secrets()
    known.learn(""), known.learn("seven77")
    assert known.mask("seven77 is said") == "seven77 is said"


def test_secrets_that_overlap_are_one_mask():
    """Otherwise: the end of the longer one stays."""
    known = Secrets()
    known.learn("abcdefghij"), known.learn("ghijklmnop"), known.learn("abcdefgh")
    assert known.mask("1 abcdefghijklmnop 2 abcdefghij") == f"1 {MASK} 2 {MASK}"
    assert known.mask("abcdefghabcdefgh.") == f"{MASK}."


def test_those_not_used_for_long_are_forgotten_first():
    """Otherwise: the memory of a server grows with every login, or forgets what is in use."""
    known = Secrets(most=2)
    for number in range(20):
        known.learn("used all the time")
        known.learn(f"once only {number:02}")
    told = known.mask("used all the time, once only 00, once only 19")
    assert told == f"{MASK}, once only 00, {MASK}"


def test_nothing_in_memory_is_the_secret(secrets):
    """Otherwise: what keeps secrets out of the log is the place to read them from."""
    kept = [secrets._young, secrets._old]
    assert all(isinstance(each, int) for part in kept for each in part.values | part._spelled)
    assert SECRET not in str([vars(part) for part in kept])
