"""What a connection is lent access for: a client of an authorization server, and how it asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Client:
    """Us, as an authorization server knows us (RFC 6749 section 2); the repr shows no credential.

    ``resource`` is the server that the tokens are for (RFC 8707). An empty ``token_url`` is found
    by asking that server (RFC 9728), and then its authorization server (RFC 8414). With an
    ``account``, whose name is the caller's, a person has lent access, and not the client itself.
    """

    id: str
    secret: str
    resource: str
    scope: str = ""
    token_url: str = ""
    authorize_url: str = ""
    account: str = ""

    def __repr__(self) -> str:
        return f"Client(resource={self.resource!r})"
