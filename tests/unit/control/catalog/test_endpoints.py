import pytest

from agentxsuite.control.catalog.endpoints import endpoint_of
from agentxsuite.control.catalog.models import Connection
from agentxsuite.control.secretstore.values import Concealed, Revealed, SecretUnreadable
from agentxsuite.engines.upstream import Client, Endpoint


def revealed(value="s3cret"):
    return {"sec_1": Revealed(Concealed(value), 1)}


def stored(method, config=None, url="https://x.example", ref="sec_1"):
    return Connection(endpoint=url, auth_method=method, auth_config=config or {}, secret_ref=ref)


@pytest.mark.parametrize(
    ("method", "config", "header"),
    [
        ("bearer", {}, ("Authorization", "Bearer s3cret")),
        ("basic", {"username": "Aladdin"}, ("Authorization", "Basic QWxhZGRpbjpzM2NyZXQ=")),
        ("header", {"header": "X-Api-Key"}, ("X-Api-Key", "s3cret")),
    ],
)
def test_a_credential_goes_where_the_server_looks_for_it(method, config, header):
    """The upstream would refuse every call."""
    connection = stored(method, config)
    expected = Endpoint(str(connection.id), "https://x.example", (header,))
    assert endpoint_of(connection, revealed()) == expected


def test_without_authentication_nothing_is_sent():
    """A credential would go to a server that never asked for one."""
    connection = stored("none")
    assert endpoint_of(connection, revealed()) == Endpoint(str(connection.id), connection.endpoint)


def test_a_command_gets_its_secret_aside():
    """A local server would find no credential in its environment."""
    connection = stored("bearer", url="stdio://git?repository=x")
    endpoint = endpoint_of(connection, revealed())
    assert (endpoint.secret, endpoint.headers) == ("s3cret", ())


@pytest.mark.parametrize(
    ("connection", "secrets"),
    [
        (stored("bearer"), {}),
        (stored("bearer", ref=None), revealed()),
        (stored("bearer"), revealed("two\r\nX-Admin: lines")),
        (stored("bearer"), revealed("snow \u2603")),
        (stored("header", {"header": "Host"}), revealed()),
        (stored("header", {}), revealed()),
    ],
)
def test_what_cannot_be_sent_is_not_tried(connection, secrets):
    """A call would go out without its credential, or with a header that somebody smuggled in."""
    with pytest.raises(SecretUnreadable) as refused:
        endpoint_of(connection, secrets)
    assert "X-Admin" not in str(refused.value)


def test_a_client_asks_for_tokens_for_its_server():
    """Otherwise: a connection asks for a token that is good for another server, or for all."""
    config = {"client_id": "me", "scope": "read"}
    url = "sse+https://a.example/sse?x=1"
    client = endpoint_of(stored("oauth2", config, url=url), revealed()).client
    assert client == Client("me", "s3cret", "https://a.example/sse", "read", "")
