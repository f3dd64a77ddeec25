"""Redis in all its moods: alive, dying, lying, behind TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agentxsuite.engines.limits import RedisLimiter
from tests.servers.redis import RedisServer


@pytest.fixture
def own_redis():
    """A Redis that a test may stop, pause and kill."""
    with RedisServer() as server:
        yield server


@pytest.fixture
async def limiter(own_redis):
    limiter = RedisLimiter(own_redis.url, timeout=0.1)
    yield limiter
    await limiter.aclose()


class Liar:
    """Servers that answer with whatever bytes the test likes, and keep what they hear."""

    def __init__(self):
        self.heard = []
        self.visits = 0
        self.third_visit = asyncio.Event()
        self.servers = []

    async def __call__(self, *answers):
        """Start a server that gives these answers, then hangs up; its address."""

        async def talk(reader, writer):
            self.visits += 1
            if self.visits == 3:
                self.third_visit.set()
            for answer in answers:
                self.heard.append(await reader.read(65536))
                writer.write(answer)
            if answers:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        self.servers.append(server)
        return f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def liar():
    liar = Liar()
    yield liar
    for server in liar.servers:
        server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis of the tests")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
async def tls_port(own_redis, certificate):
    """The port of a TLS door in front of Redis."""

    async def talk(outer_reader, outer_writer):
        inner_reader, inner_writer = await asyncio.open_unix_connection(own_redis.socket)
        await asyncio.wait(
            [
                asyncio.create_task(pump(outer_reader, inner_writer)),
                asyncio.create_task(pump(inner_reader, outer_writer)),
            ]
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def pump(reader, writer):
    """Carry bytes one way until either end is gone."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()
