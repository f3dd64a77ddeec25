"""A real OpenID Connect issuer in a process of its own: it signs, rotates keys, and breaks.

    with oidc.running() as issuer:
        issuer.token(sub="robot", aud="agentxsuite")      # RS256; alg="ES256" signs by another key
        issuer.rotate()                                   # new keys sign, old ones stay published
        issuer.drop()                                     # old ones are not published any more

What it publishes is at `/.well-known/openid-configuration` and `/jwks`; the rest of its addresses
are for tests alone. Private keys never leave the process.
"""

import base64
import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Issuer:
    """The issuer, as a test speaks with it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def token(self, alg: str = "RS256", header: Any = None, **claims: Any) -> str:
        """An honest token for five minutes, but for what is said otherwise; None leaves out."""
        now = int(time.time())
        honest = {"iss": self.url, "iat": now, "nbf": now, "exp": now + 300, "jti": uuid4().hex}
        payload = {name: value for name, value in (honest | claims).items() if value is not None}
        return str(self._ask("/sign", {"alg": alg, "header": header or {}, "payload": payload}))

    def rotate(self) -> None:
        """Sign with new keys from now on; the old ones stay published."""
        self._ask("/rotate", {})

    def drop(self) -> None:
        """Publish the keys that sign now, and no other."""
        self._ask("/drop", {})

    def publish(self, body: str | None, status: int = 200) -> None:
        """Answer this where the keys are; None is what they are."""
        self._ask("/publish", {"body": body, "status": status})

    def describe(self, **changes: Any) -> None:
        """Say something else in the description."""
        self._ask("/describe", changes)

    def all_keys(self) -> list[dict[str, Any]]:
        """The public keys that were made so far, newest first."""
        return list(self._ask("/keys", {}))

    def fetches(self) -> int:
        """How often somebody asked for the keys."""
        return int(self._ask("/fetches", {}))

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())  # noqa: S310  our own server
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  our own server
            return json.load(answer)


@contextlib.contextmanager
def running() -> Iterator[Issuer]:
    """Run an issuer; the socket listens before the process does, so whoever asks is answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "tests.servers.oidc", str(listening.fileno())]
        process = subprocess.Popen(command, pass_fds=[listening.fileno()])
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield Issuer(url)
    finally:
        process.terminate()
        process.wait()


class Keys:
    """What the process knows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.private: dict[str, Any] = {}  # by kid; the newest of each algorithm signs
        self.public: list[dict[str, Any]] = []
        self.all: list[dict[str, Any]] = []
        self.told: tuple[int, str | None] = (200, None)
        self.described: dict[str, Any] = {}
        self.fetches = 0
        self.rotate({})

    def rotate(self, _: Any) -> None:
        for alg, make in MAKERS.items():
            kid, key = uuid4().hex, make()
            self.private = {**self.private, kid: key, alg: (kid, key)}
            method = jwt.get_algorithm_by_name(alg)
            public = json.loads(method.to_jwk(key.public_key()))  # type: ignore[attr-defined]  # each has one
            self.all.insert(0, {**public, "kid": kid, "use": "sig", "alg": alg})
        self.public = list(self.all)

    def drop(self, _: Any) -> None:
        self.public = self.all[: len(MAKERS)]

    def publish(self, asked: Any) -> None:
        self.told = asked["status"], asked["body"]

    def describe(self, asked: Any) -> None:
        self.described = asked

    def sign(self, asked: Any) -> str:
        kid, key = self.private[asked["alg"]]
        header = {"alg": asked["alg"], "typ": "JWT", "kid": kid} | asked["header"]
        body = f"{segment(header)}.{segment(asked['payload'])}"
        method = jwt.get_algorithm_by_name(asked["alg"])
        return f"{body}.{encoded(method.sign(body.encode(), key))}"

    def jwks(self) -> tuple[int, str]:
        self.fetches += 1
        status, body = self.told
        return status, json.dumps({"keys": self.public}) if body is None else body

    def description(self) -> tuple[int, str]:
        honest = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        return 200, json.dumps(honest | self.described)


def segment(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    """Its addresses."""

    keys: Keys
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        pages = {
            "/.well-known/openid-configuration": self.keys.description,
            "/jwks": self.keys.jwks,
        }
        self._answer(*pages[self.path]())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = {"/keys": lambda _: self.keys.all, "/fetches": lambda _: self.keys.fetches}
        deed = known.get(self.path) or getattr(self.keys, self.path.strip("/"))
        self._answer(200, json.dumps(deed(asked)))

    def _answer(self, status: int, body: str) -> None:
        raw = body.encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", f"{self.keys.url}/jwks")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    Handler.keys = Keys(f"http://127.0.0.1:{listening.getsockname()[1]}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.serve_forever()


if __name__ == "__main__":
    main()
