"""Certificates for the simulated server: an authority, servers good and bad, a person's."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

if TYPE_CHECKING:
    from pathlib import Path

UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM files; `der` is the certificate."""

    certificate: Path
    key: Path
    der: bytes


class Authority:
    """
    A certification authority.

    Args:
        folder: Where its files lie; made.
        name: Its own; two authorities of other names do not know each other.
    """

    def __init__(self, folder: Path, name: str = "Contoso Root CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = _builder(self._name, self._name, self._key, timedelta(days=3650))
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        own = own.add_extension(_usage(signs=True), critical=True)
        own = own.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
        )
        self._own = own.sign(self._key, hashes.SHA256())
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: str, expired: bool = False) -> Pair:
        """Issue a server's certificate; names are DNS names and addresses."""
        asked = names or ("localhost", "127.0.0.1", "ex01.contoso.com")
        return self._issue(asked[0], [_name(one) for one in asked], expired=expired)

    def person(self, principal: str, *, expired: bool = False) -> Pair:
        """Issue a person's certificate: `anna@contoso.com`."""
        asn1 = b"\x0c" + bytes([len(principal)]) + principal.encode("utf-8")
        return self._issue(principal, [x509.OtherName(UPN, asn1)], expired=expired, client=True)

    def _issue(
        self, title: str, names: list[x509.GeneralName], *, expired: bool, client: bool = False
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        until = timedelta(days=-2 if expired else 365)
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        made = _builder(subject, self._name, key, until)
        for extension, critical in (
            (x509.SubjectAlternativeName(names), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs=False), True),
            (x509.ExtendedKeyUsage([use]), False),
            (
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                False,
            ),
        ):
            made = made.add_extension(extension, critical=critical)
        certificate = made.sign(self._key, hashes.SHA256())
        stem = self._folder / f"{certificate.serial_number:x}"
        pem = serialization.Encoding.PEM
        stem.with_suffix(".pem").write_bytes(certificate.public_bytes(pem))
        stem.with_suffix(".key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        return Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"), der)


def server_context(pair: Pair, clients: Path | None) -> ssl.SSLContext:
    """Make what the server shakes hands with; `clients` is whose people it knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def principal(sock: ssl.SSLSocket) -> str | None:
    """Give whom the client's certificate is issued to."""
    der = sock.getpeercert(binary_form=True)
    if not der:
        return None
    found = x509.load_der_x509_certificate(der).subject
    return str(found.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + until)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
