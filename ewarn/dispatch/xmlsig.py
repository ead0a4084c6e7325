"""An XML signature inside a CAP message, and the answer to whether a signed message is genuine.

In: approved bytes and a key; or a file from anywhere and the issuer's keys. Out: the same message with one
`ds:Signature` as the last child of its root; or a verdict that is read from what was signed and from nothing else.
With the signature taken out the approved bytes are back, byte for byte. It must never take a key, an algorithm or an
address from the file itself, nor look at a part of the file that the signature does not cover.
Source: W3C XML Signature 1.1, enveloped signature over the whole document, Canonical XML 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ewarn.dispatch import keyring
from ewarn.dispatch.cap import NAMESPACE
from ewarn.dispatch.keyring import SigningKey
from ewarn.terms import Frozen

DS = "http://www.w3.org/2000/09/xmldsig#"
METHOD, DIGEST = SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256
CANONICAL = CanonicalizationMethod.CANONICAL_XML_1_1
ENVELOPED = f"{DS}enveloped-signature"
LARGEST_BYTES = 2_000_000
GENUINE, CHANGED, UNKNOWN, EXPIRED, REVOKED, UNSIGNED = (
    *("genuine", "changed", "unknown key", "expired key", "revoked key", "not signed"),
)


class Verdict(Frozen):
    """What can be said of a file. Everything but state and words is read from the signed part alone."""

    state: str
    words: str
    key: str = ""
    identifier: str = ""
    sent: str = ""
    status: str = ""
    kind: str = ""
    scope: str = ""
    headline: str = ""
    expires: str = ""


def signed(approved: bytes, private_pem: bytes, key: SigningKey) -> bytes:
    """The approved message with its signature."""
    root = _parsed(approved)
    info = etree.Element(f"{{{DS}}}KeyInfo", nsmap={"ds": DS})
    etree.SubElement(info, f"{{{DS}}}KeyName").text = key.id
    signer = XMLSigner(signature_algorithm=METHOD, digest_algorithm=DIGEST, c14n_algorithm=CANONICAL)
    return _bytes(signer.sign(root, key=keyring.read_private(private_pem), key_info=info))


def unsigned(body: bytes) -> bytes:
    """A message as it was approved."""
    root = _parsed(body)
    for signature in root.findall(f"{{{DS}}}Signature"):
        root.remove(signature)
    return _bytes(root)


def verify(body: bytes, keys: Sequence[SigningKey]) -> Verdict:
    """Whether a file is what one of these keys signed, and whether that key was good for its time."""
    try:
        root = _parsed(body)
    except (etree.XMLSyntaxError, ValueError):
        return Verdict(state=CHANGED, words="This is not a whole CAP message: do not act on it.")
    found = [e for e in root.iter(f"{{{DS}}}Signature")]
    if not found:
        return Verdict(state=UNSIGNED, words="Nothing in this file shows who it is from: do not act on it.")
    if not _of_our_shape(root, found):
        return Verdict(state=CHANGED, words="The signature does not cover this file as a whole: do not act on it.")
    name = found[0].findtext(f"{{{DS}}}KeyInfo/{{{DS}}}KeyName") or ""
    key = next((k for k in keys if k.id == name), None)
    if key is None:
        return Verdict(state=UNKNOWN, words="It is signed with a key that the issuer does not name: do not act on it.")
    content = _signed_content(body, key)
    if content is None:
        words = "It was changed after it was signed, or somebody else signed it: do not act on it."
        return Verdict(state=CHANGED, words=words, key=key.id)
    return _judged(content, key)


def _judged(content: Any, key: SigningKey) -> Verdict:
    said = {name: content.findtext(f"{{{NAMESPACE}}}{tag}") or "" for name, tag in OUTER.items()}
    said |= {n: content.findtext(f"{{{NAMESPACE}}}info/{{{NAMESPACE}}}{n}") or "" for n in ("headline", "expires")}
    try:
        sent = datetime.fromisoformat(said["sent"])
    except ValueError:
        return Verdict(state=CHANGED, words="It does not say when it was sent: do not act on it.", key=key.id)
    if key.revoked_at:
        words = "Its key was revoked: somebody else may have signed it. Ask the issuer before you act on it."
        return Verdict(state=REVOKED, words=words, key=key.id, **said)
    if sent > key.ends:
        words = "Its key was no longer good when it was sent: do not act on it, and tell the issuer."
        return Verdict(state=EXPIRED, words=words, key=key.id, **said)
    return Verdict(
        state=GENUINE, words="It is what the issuer signed, and nothing in it was changed.", key=key.id, **said
    )


OUTER = {"identifier": "identifier", "sent": "sent", "status": "status", "kind": "msgType", "scope": "scope"}


def _of_our_shape(root: Any, signatures: list[Any]) -> bool:
    """One signature, last child of a CAP message, over the whole document by the two transforms, and no other words."""
    if root.tag != f"{{{NAMESPACE}}}alert" or len(signatures) != 1 or signatures[0] is not root[-1]:
        return False
    inner = signatures[0]
    if [etree.QName(e).localname for e in inner] != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        return False
    references = inner.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
    transforms = [e.get("Algorithm") for e in inner.iter(f"{{{DS}}}Transform")]
    method = inner.find(f"{{{DS}}}SignedInfo/{{{DS}}}CanonicalizationMethod")
    return (
        len(references) == 1
        and references[0].get("URI") == ""
        and transforms == [ENVELOPED, CANONICAL.value]
        and method is not None
        and method.get("Algorithm") == CANONICAL.value
    )


def _signed_content(body: bytes, key: SigningKey) -> Any:
    """The signed element, rebuilt from the bytes that the signature covers; None where it does not hold."""
    certificate = keyring.certificate(key)
    asked = SignatureConfiguration(
        location="./",
        signature_methods=frozenset([METHOD]),
        digest_algorithms=frozenset([DIGEST]),
        expect_references=1,
        # The certificate only carries the key: the days a key is good for are judged by the message's own time.
        verification_time=certificate.not_valid_before_utc + timedelta(seconds=1),
    )
    try:
        result = XMLVerifier().verify(body, x509_cert=certificate, expect_config=asked)
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, KeyError, AttributeError):
        return None
    content = result.signed_xml  # type: ignore[union-attr]
    return content if content is not None and content.tag == f"{{{NAMESPACE}}}alert" else None


def _parsed(body: bytes) -> Any:
    """A CAP message without anything that reads differently to different programs. Raises: ValueError."""
    if len(body) > LARGEST_BYTES:
        raise ValueError("too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=False)
    root = etree.fromstring(body, parser)
    if root.getroottree().docinfo.doctype:
        raise ValueError("a document type")
    if any(not isinstance(e.tag, str) for e in root.iter()) or root.getprevious() is not None:
        raise ValueError("comments or instructions")
    return root


def _bytes(root: Any) -> bytes:
    body: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return body + b"\n"
