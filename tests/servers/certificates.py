"""Certificates made for a test: of a client, or of a server on this machine."""

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Made:
    """A self-signed certificate with its key, as files."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, folder: Path, name: str, *, days: int = 1) -> Self:
        """Make one that was valid from two days ago until so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(here, critical=False)
            .sign(key, hashes.SHA256())
        )
        made = cls(folder / f"{name}.crt", folder / f"{name}.key")
        made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        pkcs8 = serialization.PrivateFormat.PKCS8
        made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
        return made

    @property
    def pem(self) -> str:
        """The certificate's text."""
        return self.certificate.read_text()

    @property
    def der(self) -> bytes:
        """The certificate's bytes."""
        read = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return read.public_bytes(serialization.Encoding.DER)
