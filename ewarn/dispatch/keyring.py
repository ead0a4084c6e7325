"""Keys that published alerts are signed with: ECDSA on P-256 with SHA-256, the strongest that XML signatures share.

In: a private key as PEM, instants. Out: the public half with the days it is good for, and the file that partners check
against (a JWK set with the certificates in it). It must never write a private key anywhere.
Source: RFC 7517, RFC 7638 (thumbprints), XML Signature 1.1 (ECDSA-SHA256 is mandatory there; Ed25519 is unknown to it).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from ewarn.errors import UnusableInput, UsageFault
from ewarn.terms import Frozen, digest

CURVE_BYTES = 32
CERTIFICATE_DAYS = 36_500  # the days a key is good for are its own, not the certificate's


class SigningKey(Frozen):
    """The public half of a key and what became of it; `secret` is a reference (env: or file:), never the key."""

    id: str
    x: str
    y: str
    certificate: str
    not_before: datetime
    not_after: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    why: str = ""
    secret: str = ""

    @property
    def ends(self) -> datetime:
        """The last instant of a message that it may sign."""
        return min(self.not_after, self.retired_at or self.not_after)

    def state(self, now: datetime) -> str:
        """in use | not yet | expired | retired | revoked."""
        if self.revoked_at:
            return "revoked"
        if self.retired_at and self.retired_at <= now:
            return "retired"
        return "not yet" if now < self.not_before else "expired" if now > self.not_after else "in use"


def new_private() -> bytes:
    """A new private key as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Raises: UsageFault where it is not an unencrypted P-256 key."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise UsageFault("the signing key is not a PEM key without a password", next_step=WANTED) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise UsageFault("the signing key is of another kind", next_step=WANTED)
    return key


WANTED = "Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"


def public_half(pem: bytes, issuer: str, secret: str, now: datetime, days: int) -> SigningKey:
    """The key as it is published, named by its issuer, year and thumbprint."""
    private = read_private(pem)
    numbers = private.public_key().public_numbers()
    x, y = (_b64(number.to_bytes(CURVE_BYTES, "big")) for number in (numbers.x, numbers.y))
    thumbprint = digest(json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":")).encode(), 10)
    name = f"{issuer.lower()}-{now:%Y}-{thumbprint}"
    return SigningKey(
        id=name,
        x=x,
        y=y,
        certificate=base64.b64encode(_certificate(private, name, now)).decode(),
        not_before=now.replace(microsecond=0),
        not_after=now.replace(microsecond=0) + timedelta(days=days),
        secret=secret,
    )


def _certificate(private: ec.EllipticCurvePrivateKey, name: str, now: datetime) -> bytes:
    """A self-signed certificate, for programs that take a key in no other form."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(named, named, private.public_key(), x509.random_serial_number(), now, _far(now))
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _far(now: datetime) -> datetime:
    return now + timedelta(days=CERTIFICATE_DAYS)


def signs_now(keys: Iterable[SigningKey], now: datetime) -> SigningKey | None:
    """The newest key in use."""
    return max((k for k in keys if k.state(now) == "in use"), key=lambda k: (k.not_before, k.id), default=None)


def published(keys: Sequence[SigningKey], issuer_name: str) -> bytes:
    """The file partners check against: every key there ever was, so that what an old one signed can be told."""
    shown = [
        {
            "kty": "EC", "crv": "P-256", "x": key.x, "y": key.y, "use": "sig", "alg": "ES256", "kid": key.id,
            "x5c": [key.certificate], "not_before": _iso(key.not_before), "not_after": _iso(key.not_after),
            "retired_at": _iso(key.retired_at), "revoked_at": _iso(key.revoked_at),
        }
        for key in keys
    ]  # fmt: skip
    return (json.dumps({"issuer": issuer_name, "keys": shown}, indent=2, ensure_ascii=False) + "\n").encode()


def read_published(body: bytes) -> list[SigningKey]:
    """The keys of such a file. Raises: UnusableInput."""
    try:
        return [_of_jwk(entry) for entry in json.loads(body)["keys"]]
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UnusableInput(
            "this is not a file of signing keys", next_step="Use the file that the issuer publishes: ewarn-keys.json."
        ) from error


def _of_jwk(entry: dict[str, Any]) -> SigningKey:
    return SigningKey(
        id=entry["kid"],
        x=entry["x"],
        y=entry["y"],
        certificate=entry["x5c"][0],
        not_before=entry["not_before"],
        not_after=entry["not_after"],
        retired_at=entry.get("retired_at"),
        revoked_at=entry.get("revoked_at"),
    )


def certificate(key: SigningKey) -> x509.Certificate:
    """Of the key's own numbers. Raises: UnusableInput where the certificate holds another key."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(key.certificate, validate=True))
        public = found.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        numbers = public.public_numbers()
        same = (key.x, key.y) == tuple(_b64(n.to_bytes(CURVE_BYTES, "big")) for n in (numbers.x, numbers.y))
    except (ValueError, AssertionError, OverflowError):
        same = False
    if not same:
        raise UnusableInput(f"the key '{key.id}' and its certificate differ", next_step="Fetch the key file anew.")
    return found


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
