"""A client's own site: an https server on this machine that tells about the client."""

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HEAD = "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n"


class Site:
    """What it answers, and how often it was asked."""

    def __init__(self) -> None:
        self.port, self.asked = 0, 0
        self.answer: object = {}
        self.status, self.kind, self.more = 200, "application/json", ""

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}/client.json"

    def tell(self, redirect: str, **facts) -> None:
        """Tell about a client that comes back at `redirect`."""
        self.answer = {
            "client_id": self.address,
            "client_name": "Documented",
            "redirect_uris": [redirect],
            "token_endpoint_auth_method": "none",
            **facts,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        writer.write(HEAD.format(self.status, self.kind, len(body), self.more).encode() + body)
        await writer.drain()
        writer.close()


def certificate(folder: Path) -> Path:
    """Make a key and a certificate for this machine's address, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "site.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


@asynccontextmanager
async def site(folder: Path, monkeypatch) -> AsyncIterator[Site]:
    """Serve until left; this process trusts the site's certificate."""
    path = certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    made = Site()
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
