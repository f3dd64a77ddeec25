"""Real upstreams, and the way to them."""

import datetime as dt
import ssl
import sys
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agentxsuite.engines.upstream import Egress, Endpoint, Template, Upstreams
from agentxsuite.engines.upstream.parameters import Text
from tests import servers
from tests.servers import mcp_http
from tests.servers.mcp_raw import RawServer

PIPES = str(Path(servers.__file__).parent / "mcp_stdio.py")
BIN = Path(sys.executable).parent


def pytest_asyncio_loop_factories(config, item):
    """The loop that the server runs on; its sockets and processes are not asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def modern_url():
    """A server of both eras."""
    with mcp_http.running("--stream") as url:
        yield url


@pytest.fixture(scope="session")
def legacy_url():
    """A server of the old era with sessions that answers by event streams."""
    with mcp_http.running("--handshake", "--sessions", "--stream") as url:
        yield url


@pytest.fixture
def templates():
    """Command templates as an operator would write them."""
    return {
        "pipes": Template(
            "pipes",
            (sys.executable, "-I", PIPES, "{era}"),
            {"era": Text(pattern="[a-z]+", default="stateless")},
            secret_variable="TOKEN",
            env={"COLOUR": "blue"},
        ),
        "echo": Template(
            "echo",
            (sys.executable, "-I", PIPES, "stateless", "{text}", "--flag={text}"),
            {"text": Text(pattern="(?s).*")},
        ),
        "time": Template("time", (str(BIN / "mcp-server-time"),)),
        "git": Template("git", (str(BIN / "mcp-server-git"),)),
        "missing": Template("missing", ("/nowhere/at/all",)),
        "silent": Template("silent", ("/bin/cat", "/dev/null")),
    }


@pytest.fixture
async def upstreams(templates):
    """The engine, allowed to reach this machine."""
    async with Upstreams(Egress(["127.0.0.1"]), templates) as engine:
        yield engine


@pytest.fixture
async def serve():
    """How raw servers are started and stopped with the test."""
    async with AsyncExitStack() as stack:

        async def start(script, **options):
            return await stack.enter_async_context(RawServer(script, **options))

        yield start


@pytest.fixture
def at():
    """An endpoint for an address or a server."""

    def endpoint(where, **more):
        return Endpoint("connection", getattr(where, "url", where), **more)

    return endpoint


class Authority:
    """A certificate authority for names that nobody owns."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
        self.certificate = self._sign(self._name, self._key, ca=True)
        self.client = ssl.create_default_context(cadata=_pem(self.certificate))

    def server(self, name):
        """A server context with a certificate for ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        path = self._folder / f"{name.replace(':', '_')}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_text(_pem(self._sign(subject, key, name)) + secret.decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(self, subject, key, name=None, *, ca=False):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if name is not None:
            try:
                other = x509.IPAddress(ip_address(name))
            except ValueError:
                other = x509.DNSName(name)
            builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A private certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))
