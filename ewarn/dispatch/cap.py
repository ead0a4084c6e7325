"""The alert object as a CAP 1.2 message, one for each audience.

In: an alert, its content as that audience may read it, the other payloads of the audience. Out: XML without signature,
the same bytes every time. It must never call public what is not marked TLP:CLEAR, never carry a recipient's own link,
and never say "all clear": a stood-down warning is cancelled, as its own text says that it is no all-clear.
Source: OASIS Common Alerting Protocol 1.2, section 3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from lxml import etree

from ewarn.dispatch.inert import one_line, plain
from ewarn.terms import LONDON, Alert, Payload, Product, Standing, Verification, VersionKind

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
CLEAR = "TLP:CLEAR"
STATUS = {Standing.ACTUAL: "Actual", Standing.EXERCISE: "Exercise", Standing.TEST: "Test"}
TYPES = {
    VersionKind.ALERT: "Alert",
    VersionKind.UPDATE: "Update",
    VersionKind.STAND_DOWN: "Cancel",
    VersionKind.WITHDRAWAL: "Cancel",
}
CERTAINTY = {
    Verification.CONFIRMED: "Observed",
    Verification.PROBABLE: "Likely",
    Verification.UNVERIFIED: "Possible",
    Verification.DISCOUNTED: "Unlikely",
}
RESPONSE = {
    Product.FORMAL_ALERT: "Avoid",
    Product.SHARE: "Monitor",
    Product.CORROBORATE: "Assess",
    Product.CONTACT_TEST: "None",
}
EVENT = {
    Product.FORMAL_ALERT: "Local drug alert",
    Product.SHARE: "Local drug information",
    Product.CORROBORATE: "Request for corroboration",
    Product.CONTACT_TEST: "Contact test",
}


def message(
    alert: Alert,
    content: Mapping[str, Any],
    audience: str,
    places: Mapping[str, str],
    others: Sequence[Payload] = (),
    *,
    draft: bool = False,
) -> bytes | None:
    """The message in full; None where this audience has none: the public of a marked alert, or of one it never had.

    In: `places` names of areas and their ONS codes; `draft` for a text that nobody has approved.
    """
    public = audience == "public"
    if public and content.get("marking") != CLEAR:
        return None
    earlier = [e for e in content.get("earlier") or () if not public or e.get("marking") == CLEAR]
    if alert.kind.closes and not earlier:
        return None
    kind = alert.kind if earlier or alert.kind is not VersionKind.UPDATE else VersionKind.ALERT
    root = etree.Element(_tag("alert"), nsmap={None: NAMESPACE})
    _add(root, "identifier", identifier(alert.id, alert.version, audience))
    _add(root, "sender", sender(content))
    _add(root, "sent", stamp(alert.created_at))
    _add(root, "status", "Draft" if draft else STATUS[alert.standing])
    _add(root, "msgType", TYPES[kind])
    _add(root, "source", content.get("origin"))
    _add(root, "scope", "Public" if public else "Restricted")
    if not public:
        _add(root, "restriction", f"{content.get('marking', '')}. {content.get('audience', '')}")
    _add(root, "code", content.get("marking"))
    _add(root, "note", " ".join(filter(None, [content.get("watermark"), content.get("why")])))
    _add(root, "references", " ".join(_reference(alert.id, e, content, audience) for e in earlier))
    _add(root, "incidents", token(str(content.get("reference", alert.case))))
    _info(etree.SubElement(root, _tag("info")), alert, content, audience, places, others)
    etree.indent(root)
    body: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return body + b"\n"


def identifier(alert_id: str, version: int, audience: str) -> str:
    """One name for each version and audience, of characters that CAP allows: LDN-2025-0007.A1.v2.public."""
    return token(f"{alert_id.replace('/', '.')}.v{version}.{audience}")


def sender(content: Mapping[str, Any]) -> str:
    """Who sends, as an address that stays the same for all versions of an alert."""
    code = str(content.get("reference", "ewarn")).split("-")[0].lower()
    return token(str(content.get("sender") or f"{code}@ewarn.invalid"))


def web(words: object) -> str:
    """A web address, or ''."""
    return str(words) if re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]*)*", str(words)) else ""


def token(words: str) -> str:
    """Without spaces, commas, '<' and '&', which CAP forbids in names, nor anything else that is unusual there."""
    return re.sub(r"[^A-Za-z0-9._@:+-]+", "-", words).strip("-") or "unnamed"


def stamp(instant: datetime) -> str:
    """Europe/London with its offset in figures and without fractions; UTC itself is -00:00 (CAP 1.2, 3.3.2)."""
    text = instant.astimezone(LONDON).replace(microsecond=0).isoformat()
    return f"{text[:-6]}-00:00" if text.endswith("+00:00") else text


def _reference(alert_id: str, earlier: Mapping[str, Any], content: Mapping[str, Any], audience: str) -> str:
    at = stamp(datetime.fromisoformat(str(earlier["sent"])))
    return f"{sender(content)},{identifier(alert_id, int(earlier['version']), audience)},{at}"


def _info(
    info: Any,
    alert: Alert,
    content: Mapping[str, Any],
    audience: str,
    places: Mapping[str, str],
    others: Sequence[Payload],
) -> None:
    graded = content.get("cap") or {}
    ends = alert.kind.closes
    _add(info, "language", "en-GB")
    _add(info, "category", "Health")
    _add(info, "event", f"{EVENT[alert.product]}{' ended' if ends else ''}")
    _add(info, "responseType", "None" if ends else RESPONSE[alert.product])
    _add(info, "urgency", "Past" if ends else graded.get("urgency", "Unknown"))
    _add(info, "severity", graded.get("severity", "Unknown"))
    _add(info, "certainty", _certainty(content))
    _add(info, "audience", content.get("audience"))
    if content.get("expires_on"):
        _add(
            info,
            "expires",
            stamp(datetime.combine(date.fromisoformat(content["expires_on"]), time(23, 59, 59), LONDON)),
        )
    _add(info, "senderName", content.get("issuer"))
    _add(info, "headline", _headline(alert, content))
    _add(info, "description", _description(content), lines=True)
    _add(info, "instruction", _instruction(content), lines=True)
    _add(info, "web", web(content.get("verify")))
    _add(info, "contact", content.get("report_back"))
    for name, value in _parameters(alert, content):
        _pair(info, "parameter", f"ewarn:{name}", value)
    for payload in others:
        _resource(info, payload, content, identifier(alert.id, alert.version, audience))
    _areas(info, content, places)


def _certainty(content: Mapping[str, Any]) -> str:
    """Of the harm where some was reported, else of the substance."""
    of = (content.get("cap") or {}).get("certainty_of", "event")
    level = ((content.get("verification") or {}).get(of) or {}).get("level", "")
    return CERTAINTY.get(level, "Unknown")


def _headline(alert: Alert, content: Mapping[str, Any]) -> str:
    mark = "" if alert.standing is Standing.ACTUAL else f"{alert.standing.value.upper()}: "
    return f"{mark}{content.get('headline') or 'Drug alert'}"


def _description(content: Mapping[str, Any]) -> str:
    """What the message says, with its mark on top: programs may show this and nothing else."""
    sure = content.get("verification") or {}
    replaces = f"This replaces {content['replaces']}." if content.get("replaces") else ""
    parts = [
        content.get("watermark"),
        content.get("marking"),
        replaces,
        content.get("why"),
        " ".join(content.get("what_happened") or ()),
        *(f"{name}: {sure[part]['words']}" for part, name in SURE.items() if part in sure),
        _listed("Sold as", content.get("sold_as") or ()),
        _listed("Found to contain", [found_words(f) for f in content.get("found") or ()]),
        _listed("Looks like", content.get("appearance") or ()),
        _pictured(content),
        f"Who is at risk: {content['at_risk']}" if content.get("at_risk") else "",
    ]
    return "\n\n".join(str(part) for part in parts if part)


def _pictured(content: Mapping[str, Any]) -> str:
    photo = content.get("photo")
    return f"Photograph: {photo['alt']} Scale: {photo['scale']}" if photo else ""


SURE = {"event": "What happened", "substance": "The drug", "link": "The link between them"}


def _instruction(content: Mapping[str, Any]) -> str:
    texts = [content.get("emergency"), content.get("signs"), *(content.get("advice") or ())]
    return "\n\n".join(f"{text.get('title', '')}\n{text.get('text', '')}".strip() for text in texts if text)


def _listed(name: str, words: Sequence[str]) -> str:
    return f"{name}: {', '.join(words)}" if words else ""


def found_words(found: Mapping[str, Any]) -> str:
    """A finding with what must be said beside its name."""
    role = f" ({found['role']})" if found.get("role") in ("trace", "minor") else ""
    return f"{found.get('name', '')}{role}{' (quick test, not confirmed)' if found.get('presumptive') else ''}"


def _parameters(alert: Alert, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    sure = content.get("verification") or {}
    said = [(f"verification-{part}", sure[part]["level"]) for part in SURE if part in sure]
    said += [(f"verification-{part}-words", sure[part]["words"]) for part in SURE if part in sure]
    return [
        ("alert", alert.id),
        ("version", str(alert.version)),
        ("kind", alert.kind.value),
        ("product", alert.product.value),
        ("marking", str(content.get("marking", ""))),
        ("review-on", str(content.get("review_on", ""))),
        *(("sold-as", name) for name in content.get("sold_as") or ()),
        *(("found", found_words(f)) for f in content.get("found") or ()),
        *said,
        *(("count", f"{f.get('label', '')}: {f.get('value', '')}") for f in content.get("figures") or ()),
    ]


def _resource(info: Any, payload: Payload, content: Mapping[str, Any], name: str) -> None:
    """A PDF of the same approved text, or its photograph, by its digest; where it lies is said only where there is a
    public service."""
    kind = kind_of(payload)
    if kind is None:
        return
    alt = str((content.get("photo") or {}).get("alt", ""))
    made = etree.SubElement(info, _tag("resource"))
    _add(made, "resourceDesc", f"photograph: {alt}" if payload.format == "photo" else payload.format)
    _add(made, "mimeType", kind.media_type)
    _add(made, "size", str(len(payload.body)))
    if base := public_base(content):
        _add(made, "uri", f"{base}/alerts/{name}.{token(payload.format)}.{kind.ending}")
    # CAP 1.2 asks for SHA-1 here; the signature over the message is what protects it, with SHA-256 beside it.
    _add(made, "digest", hashlib.sha1(payload.body, usedforsecurity=False).hexdigest())
    _pair_before(info, f"ewarn:sha256-{token(payload.format)}", hashlib.sha256(payload.body).hexdigest())


class Kind(NamedTuple):
    media_type: str
    ending: str


KINDS = {b"%PDF": Kind("application/pdf", "pdf"), b"\xff\xd8\xff": Kind("image/jpeg", "jpg")}


def kind_of(payload: Payload) -> Kind | None:
    """What a payload that is a file of its own is: a sheet or a photograph; None for the others."""
    return next((kind for start, kind in KINDS.items() if payload.body.startswith(start)), None)


def public_base(content: Mapping[str, Any]) -> str:
    """The address of the public service, from the page that says whether this alert is genuine; '' without one."""
    page, reference = web(content.get("verify")), str(content.get("reference", ""))
    return page.removesuffix(f"/v/{reference}") if page.endswith(f"/v/{reference}") else ""


def _areas(info: Any, content: Mapping[str, Any], places: Mapping[str, str]) -> None:
    area = content.get("area") or {}
    _area(info, str(area.get("name") or "not given"), str(area.get("code") or ""))
    for name in content.get("also_possible") or ():
        _area(info, f"Also possible: {name}", places.get(name, ""))


def _area(info: Any, words: str, code: str) -> None:
    made = etree.SubElement(info, _tag("area"))
    _add(made, "areaDesc", words)
    if code:
        _pair(made, "geocode", "GSS", code)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: Any, name: str, words: object, lines: bool = False) -> None:
    """An element with text; none where there is nothing to say."""
    if text := plain(words) if lines else one_line(words):
        etree.SubElement(parent, _tag(name)).text = text


def _pair(parent: Any, name: str, label: str, value: str) -> None:
    if one_line(value):
        made = etree.SubElement(parent, _tag(name))
        _add(made, "valueName", label)
        _add(made, "value", value)


def _pair_before(info: Any, label: str, value: str) -> None:
    """A parameter, which the schema wants before the first resource."""
    _pair(info, "parameter", label, value)
    first = next(child for child in info if child.tag == _tag("resource"))
    first.addprevious(info[-1])
