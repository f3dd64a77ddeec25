"""The operator's file of issuers: what is doubtful in it stops the start."""

import pytest

from agentxsuite.engines.tokens import IssuersInvalid, load_issuers

OURS = "https://suite.example"
GOOD = """
[corporate]
issuer = "https://id.example/"
algorithms = ["RS256", "EdDSA"]
organizations = ["a"]
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "issuers.toml"
        path.write_text(text)
        return load_issuers(path, OURS)

    return load


def test_an_issuer_is_known_by_the_name_in_its_tokens(load):
    """Otherwise: a trusted issuer's tokens are refused for a slash."""
    known = load(GOOD)["https://id.example/"]
    assert (known.name, known.leeway_seconds) == ("corporate", 5)
    assert known.discovery == "https://id.example/.well-known/openid-configuration"
    assert known.serves("a")
    assert not known.serves("b")
    assert load("") == {}


ALGORITHMS = 'algorithms = ["RS256"]'
NAMED = 'issuer = "https://id.example"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "issuers.toml"),
        (f"[a]\n{NAMED}", "algorithms"),
        (f"[a]\n{ALGORITHMS}", "issuer"),
        (f"[a]\n{NAMED}\nalgorithms = []", "algorithms"),
        (f'[a]\n{NAMED}\nalgorithms = ["HS256"]', "algorithms"),
        (f'[a]\n{NAMED}\nalgorithms = ["none"]', "algorithms"),
        (f'[a]\n{NAMED}\nalgorithms = ["RS256", "HS512"]', "algorithms"),
        (f"[a]\n{NAMED}\n{ALGORITHMS}\nleeway_seconds = 3600", "leeway_seconds"),
        (f"[a]\n{NAMED}\n{ALGORITHMS}\nleeway_seconds = -1", "leeway_seconds"),
        (f"[a]\n{NAMED}\n{ALGORITHMS}\nmax_lifetime_seconds = 0", "max_lifetime_seconds"),
        (f'[a]\n{NAMED}\n{ALGORITHMS}\njwks_uri = "file:///keys"', "jwks_uri"),
        (f'[a]\n{NAMED}\n{ALGORITHMS}\njwks_url = "https://id.example/keys"', "jwks_url"),
        (f'[a]\n{ALGORITHMS}\nissuer = "id.example"', "issuer"),
        (f'[a]\n{ALGORITHMS}\nissuer = "https://user@id.example"', "issuer"),
        (f'[a]\n{ALGORITHMS}\nissuer = "https://[id.example"', "issuer"),
        (f'[a]\n{ALGORITHMS}\nissuer = "https://id.example/?a=b"', "issuer"),
        (f'[a]\n{ALGORITHMS}\nissuer = "https://id.example/{"x" * 500}"', "issuer"),
        (f"[a]\n{NAMED}\n{ALGORITHMS}\n[b]\n{NAMED}\n{ALGORITHMS}", "two tables"),
        (f'[a]\n{ALGORITHMS}\nissuer = "{OURS.upper()}/"', "not an outside issuer"),
    ],
)
def test_what_could_not_be_trusted_stops_the_start(load, text, said):
    """Otherwise: a slip of the pen lets strangers sign, and nobody is told."""
    with pytest.raises(IssuersInvalid, match=said):
        load(text)
