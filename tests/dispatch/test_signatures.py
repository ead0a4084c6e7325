"""A signed message is the approved one and nothing else; every other file is refused, with the reason."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from lxml import etree
from signxml import XMLSigner

from ewarn.dispatch import cap, keyring, xmlsig
from ewarn.dispatch.keyring import SigningKey
from ewarn.errors import UnusableInput, UsageFault
from tests.dispatch.told import PLACES, SCHEMA, SENT, read_by, told

MADE = datetime(2025, 1, 1, tzinfo=UTC)
CAP, DS = cap.NAMESPACE, xmlsig.DS


@cache
def key_pair(name: str = "ours") -> tuple[bytes, SigningKey]:
    pem = keyring.new_private()
    return pem, keyring.public_half(pem, "LDN", f"file:{name}", MADE, 400)


@cache
def approved(audience: str = "public") -> bytes:
    body = cap.message(told(), read_by(told(), audience), audience, PLACES)
    assert body
    return body


@cache
def signed() -> bytes:
    return xmlsig.signed(approved(), *key_pair())


def state(body: bytes, **changes: Any) -> str:
    return xmlsig.verify(body, [key_pair()[1].model_copy(update=changes)]).state


def test_a_signed_message_is_genuine_and_says_what_was_signed() -> None:
    verdict = xmlsig.verify(signed(), [key_pair("other")[1], key_pair()[1]])
    assert verdict.state == "genuine" and verdict.key == key_pair()[1].id
    assert verdict.identifier == "LDN-2025-0001.A1.v1.public" and verdict.status == "Actual"


def test_without_its_signature_it_is_the_approved_message_byte_for_byte() -> None:
    assert hashlib.sha256(xmlsig.unsigned(signed())).digest() == hashlib.sha256(approved()).digest()
    canonical = etree.tostring(etree.fromstring(approved()), method="c14n")
    said = etree.fromstring(signed()).findtext(f".//{{{DS}}}DigestValue")
    assert said == b64encode(hashlib.sha256(canonical).digest()).decode(), "Canonical XML 1.1, SHA-256"


def test_a_signed_message_still_fits_the_standard_s_schema() -> None:
    if not SCHEMA.is_file():
        pytest.skip("the CAP 1.2 schema is not here")
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(etree.fromstring(signed()))


def content_of(body: bytes) -> bytes:
    """What a program would read: the canonical message without the signature."""
    root = etree.fromstring(body)
    for found in root.findall(f"{{{DS}}}Signature"):
        root.remove(found)
    return bytes(etree.tostring(root, method="c14n", with_comments=True))


def flipped(step: int) -> None:
    body, content = signed(), content_of(signed())
    key = key_pair()[1]
    for position in range(0, len(body), step):
        for mask in (0x01, 0x20):
            changed = bytearray(body)
            changed[position] ^= mask
            if xmlsig.verify(bytes(changed), [key]).state == "genuine":
                assert content_of(bytes(changed)) == content, f"byte {position} was changed and nobody noticed"


def test_a_changed_byte_is_never_taken_for_what_was_signed() -> None:
    flipped(53)


@pytest.mark.slow
def test_no_changed_byte_at_all_is_taken_for_what_was_signed() -> None:
    flipped(1)


def tree() -> Any:
    return etree.fromstring(signed())


def text(root: Any) -> bytes:
    return bytes(etree.tostring(root))


def other_words(root: Any) -> Any:
    root.find(f"{{{CAP}}}info/{{{CAP}}}headline").text = "All is well"
    return root


def wrapped_in_the_signature() -> bytes:
    """The signed message moved into the signature; what stands in its place is the attacker's."""
    evil, genuine = other_words(tree()), tree()
    held = etree.SubElement(evil.find(f"{{{DS}}}Signature"), f"{{{DS}}}Object")
    held.append(genuine)
    return text(evil)


def wrapped_beside() -> bytes:
    evil = other_words(tree())
    evil.insert(0, tree())
    return text(evil)


def wrapped_around() -> bytes:
    root = etree.Element(f"{{{CAP}}}alert", nsmap={None: CAP})
    root.append(tree())
    root.append(deepcopy(tree().find(f"{{{DS}}}Signature")))
    return text(root)


def by_reference() -> bytes:
    """A signature by the right key's name over one element that an id points to, the rest being anything."""
    root = other_words(etree.fromstring(approved()))
    root.find(f"{{{CAP}}}info").set("Id", "part")
    other = key_pair("other")[0]
    signer = XMLSigner(signature_algorithm=xmlsig.METHOD)
    return text(signer.sign(root, key=other.decode(), reference_uri="part", key_name=key_pair()[1].id))


def two_signatures() -> bytes:
    root = tree()
    root.append(deepcopy(root[-1]))
    return text(root)


def by_somebody_else() -> bytes:
    """Another key under our key's name."""
    ours = key_pair()[1]
    return xmlsig.signed(approved(), key_pair("other")[0], ours)


def with_comment() -> bytes:
    return signed().replace(b"Metonitazene in", b"Metonitazene<!-- --> in", 1)


def with_doctype() -> bytes:
    return signed().replace(b"<alert", b"<!DOCTYPE alert [<!ENTITY e 'x'>]><alert", 1)


@pytest.mark.parametrize(
    "attack",
    [wrapped_in_the_signature, wrapped_beside, wrapped_around, by_reference, two_signatures, by_somebody_else,
     with_comment, with_doctype],
)  # fmt: skip
def test_nothing_but_the_whole_signed_message_is_accepted(attack: Any) -> None:
    assert state(attack()) == "changed"


def test_a_weaker_algorithm_named_by_the_file_is_not_used() -> None:
    for before, after in (
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#hmac-sha256"),
        (b"xmlenc#sha256", b"xmldsig#sha1"),
        (b"2006/12/xml-c14n11", b"TR/2001/REC-xml-c14n-20010315"),
    ):
        assert state(signed().replace(before, after)) == "changed"


def test_not_signed_not_xml_too_large_and_an_unknown_key_are_told_apart() -> None:
    assert state(approved()) == "not signed"
    assert state(b"") == state(b"hello") == state(b"<alert>" + b"x" * 2_000_001) == "changed"
    assert xmlsig.verify(signed(), []).state == "unknown key"
    assert xmlsig.verify(signed(), [key_pair("other")[1]]).state == "unknown key"


def test_a_key_is_good_for_its_time_after_retirement_and_never_after_a_leak() -> None:
    before, after = SENT - timedelta(days=1), SENT + timedelta(days=1)
    assert state(signed(), not_after=after) == state(signed(), retired_at=after) == "genuine"
    assert state(signed(), not_after=before) == state(signed(), retired_at=before) == "expired key"
    assert state(signed(), retired_at=after, revoked_at=after) == "revoked key"


def test_the_key_file_holds_every_key_and_no_secret() -> None:
    keys = [key_pair()[1], key_pair("other")[1].model_copy(update={"revoked_at": MADE, "retired_at": MADE})]
    body = keyring.published(keys, "Test service")
    assert b"file:" not in body and b"PRIVATE" not in body
    read = keyring.read_published(body)
    assert [k.model_copy(update={"secret": k0.secret}) for k, k0 in zip(read, keys, strict=True)] == keys
    for broken in (b"", b"[]", b'{"keys": [{"kid": "x"}]}', b"\xff"):
        with pytest.raises(UnusableInput):
            keyring.read_published(broken)


def test_a_certificate_of_another_key_is_refused() -> None:
    false = key_pair()[1].model_copy(update={"certificate": key_pair("other")[1].certificate})
    with pytest.raises(UnusableInput, match="differ"):
        xmlsig.verify(signed(), [false])


def test_keys_of_another_kind_are_refused() -> None:
    for pem in (b"", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(UsageFault):
            keyring.read_private(pem)


def test_the_newest_key_in_use_signs() -> None:
    old = key_pair()[1]
    new = key_pair("other")[1].model_copy(update={"not_before": MADE + timedelta(days=100)})
    assert keyring.signs_now([old, new], MADE + timedelta(days=50)) == old
    assert keyring.signs_now([old, new], MADE + timedelta(days=150)) == new
    assert keyring.signs_now([old, new], MADE + timedelta(days=1500)) is None
    assert [old.state(MADE + timedelta(days=d)) for d in (-1, 1, 401)] == ["not yet", "in use", "expired"]
