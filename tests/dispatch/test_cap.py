"""CAP 1.2: every element says what the alert says, in the form that the standard and its schema ask for."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from lxml import etree

from ewarn.dispatch import cap
from ewarn.terms import Payload
from tests.dispatch.told import EARLIER, HOSTILE, PLACES, SCHEMA, hostile_everywhere, read_by, same_as_golden, told

ENDS = ("stand-down", "withdrawal")
ORDER = "identifier sender sent status msgType source scope restriction addresses code note references incidents info"
INNER = """language category event responseType urgency severity certainty audience eventCode effective onset expires
    senderName headline description instruction web contact parameter resource area"""


def made(audience: str = "professional", *, others: Any = (), draft: bool = False, **content: Any) -> bytes:
    alert = told(**content)
    body = cap.message(alert, read_by(alert, audience), audience, PLACES, others, draft=draft)
    assert body is not None
    return body


def parsed(body: bytes) -> Any:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))


def text(body: bytes, name: str) -> list[str]:
    return [found.text for found in parsed(body).iter(f"{{{cap.NAMESPACE}}}{name}")]


def pairs(body: bytes, name: str) -> list[tuple[str, str]]:
    return [(found[0].text, found[1].text) for found in parsed(body).iter(f"{{{cap.NAMESPACE}}}{name}")]


@pytest.mark.parametrize("audience", ["professional", "public"])
def test_a_message_is_the_one_people_have_read(audience: str) -> None:
    same_as_golden(made(audience), f"alert-{audience}.cap.xml")
    assert made(audience) == made(audience)


def every_kind() -> list[bytes]:
    kinds = [{"kind": kind, "earlier": EARLIER, "version": 3, "why": "It is over."} for kind in ("update", *ENDS)]
    bodies = [made(audience, **more) for audience in ("professional", "public") for more in [{}, *kinds]]
    pdf = Payload(audience="public", format="flyer", subject="s", body=b"%PDF-1.7 x")
    bodies += [made("public", others=[pdf]), made(draft=True), made(standing="exercise"), made(standing="test")]
    bodies += [made(**hostile_everywhere(words)) for words in HOSTILE]
    return [*bodies, made(verification={}, cap={}, area={}, expires_on="", headline="")]


def test_every_message_is_valid_against_the_standard_s_schema() -> None:
    if not SCHEMA.is_file():
        pytest.skip("the CAP 1.2 schema is not here")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    for body in every_kind():
        schema.assertValid(parsed(body))


def test_without_the_schema_the_order_and_the_mandatory_elements_are_held_to() -> None:
    order, inner = ORDER.split(), INNER.split()
    for body in every_kind():
        root = parsed(body)
        for element, names in ((root, order), (root[-1], inner)):
            places = [names.index(etree.QName(child).localname) for child in element]
            assert places == sorted(places)
        for name in ("identifier", "sender", "sent", "status", "msgType", "scope", "category", "event", "urgency",
                     "severity", "certainty", "areaDesc"):  # fmt: skip
            assert text(body, name)[0]
        for name in ("identifier", "sender"):
            assert not re.search(r"[\s,<&]", text(body, name)[0])
        for at in text(body, "sent") + text(body, "expires"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", at)
        assert text(body, "category") == ["Health"]


def test_sent_and_expires_are_london_times_and_utc_is_minus_nought() -> None:
    assert text(made(), "sent") == ["2025-07-03T15:05:06+01:00"]
    assert text(made(expires_on="2025-12-01"), "expires") == ["2025-12-01T23:59:59-00:00"]


@pytest.mark.parametrize(
    ("standing", "draft", "status"),
    [("actual", False, "Actual"), ("exercise", False, "Exercise"), ("test", False, "Test"), ("actual", True, "Draft")],
)
def test_status_is_the_standing_and_nobody_s_text_is_a_draft(standing: str, draft: bool, status: str) -> None:
    body = made(standing=standing, draft=draft)
    assert text(body, "status") == [status]
    if standing != "actual":
        assert text(body, "headline")[0].startswith(f"{standing.upper()}: ")
        assert "not a real event" in text(body, "note")[0] and "not a real event" in text(body, "description")[0]


@pytest.mark.parametrize(("kind", "kind_of"), [("update", "Update"), *((kind, "Cancel") for kind in ENDS)])
def test_a_later_version_names_every_version_that_people_had(kind: str, kind_of: str) -> None:
    body = made(kind=kind, version=3, earlier=EARLIER, why="The laboratory corrected it.")
    assert text(body, "msgType") == [kind_of]
    assert text(body, "references") == [
        "alerts@example.org,LDN-2025-0001.A1.v1.professional,2025-01-03T14:00:00-00:00 "
        "alerts@example.org,LDN-2025-0001.A1.v2.professional,2025-07-01T15:00:00+01:00"
    ]
    assert text(body, "identifier") == ["LDN-2025-0001.A1.v3.professional"]
    assert "AllClear" not in text(body, "responseType")
    if kind in ENDS:
        assert text(body, "urgency") == ["Past"] and "The laboratory corrected it." in text(body, "note")[0]


def test_the_public_is_told_only_of_versions_that_it_could_have() -> None:
    body = made("public", kind="update", version=3, earlier=EARLIER)
    assert "v2.public" in text(body, "references")[0] and "v1." not in text(body, "references")[0]
    first = made("public", kind="update", version=2, earlier=EARLIER[:1])
    assert text(first, "msgType") == ["Alert"] and text(first, "references") == []
    alert = told(kind="withdrawal", version=2, earlier=EARLIER[:1])
    assert cap.message(alert, read_by(alert, "public"), "public", PLACES) is None


def test_scope_is_public_for_the_public_and_nothing_marked_has_a_public_message() -> None:
    assert text(made("public"), "scope") == ["Public"] and text(made("public"), "restriction") == []
    assert text(made(), "scope") == ["Restricted"] and "Not for publication" in text(made(), "restriction")[0]
    for marking in ("TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", ""):
        alert = told(marking=marking)
        assert cap.message(alert, read_by(alert, "public"), "public", PLACES) is None


@pytest.mark.parametrize(
    ("level", "certainty"),
    [("confirmed", "Observed"), ("probable", "Likely"), ("unverified", "Possible"), ("discounted", "Unlikely")],
)
def test_certainty_is_of_the_harm_or_where_there_is_none_of_the_substance(level: str, certainty: str) -> None:
    sure = {"event": {"level": level, "words": "w"}, "substance": {"level": "probable", "words": "w"}}
    assert text(made(verification=sure), "certainty") == [certainty]
    finding = {"urgency": "Expected", "severity": "Severe", "certainty_of": "substance"}
    body = made(verification=sure, cap=finding)
    assert [text(body, n) for n in ("urgency", "severity", "certainty")] == [["Expected"], ["Severe"], ["Likely"]]


def test_areas_carry_their_ons_codes_and_those_only_possible_say_so() -> None:
    assert text(made(), "areaDesc") == ["Camden", "Also possible: Islington", "Also possible: Somewhere"]
    assert pairs(made(), "geocode") == [("GSS", "E09000007"), ("GSS", "E09000019")]


def test_parameters_hold_what_it_is_sold_as_what_was_found_and_how_sure_we_are() -> None:
    found = pairs(made(), "parameter")
    assert ("ewarn:sold-as", "diazepam") in found
    assert ("ewarn:found", "metonitazene (trace) (quick test, not confirmed)") in found
    assert ("ewarn:verification-link", "unverified") in found
    assert ("ewarn:verification-link-words", "We do not know whether this drug caused it.") in found
    assert ("ewarn:count", "People affected: 3") in found
    assert ("ewarn:count", "People affected: *") in pairs(made("public"), "parameter")


def test_the_public_message_holds_no_small_count_and_nobody_s_own_link() -> None:
    public = made("public").decode()
    assert "3 people" not in public and "r1" not in public
    for body in every_kind():
        assert b"answer.invalid" not in body and b"ANSWER-CODE" not in body


def test_a_flyer_is_named_by_its_digest_and_by_an_address_only_where_one_is_public() -> None:
    flyer = Payload(audience="public", format="flyer", subject="s", body=b"%PDF-1.7 x")
    body = made("public", others=[flyer, flyer.model_copy(update={"format": "text", "body": b"words"})])
    assert text(body, "uri") == ["https://alerts.example.org/alerts/LDN-2025-0001.A1.v1.public.flyer.pdf"]
    assert text(body, "digest") == [hashlib.sha1(flyer.body, usedforsecurity=False).hexdigest()]
    assert text(body, "size") == ["10"] and text(body, "mimeType") == ["application/pdf"]
    assert any(name == "ewarn:sha256-flyer" and len(value) == 64 for name, value in pairs(body, "parameter"))
    assert text(made("public", others=[flyer], verify=""), "uri") == []


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_stay_words(words: str) -> None:
    body = made(**hostile_everywhere(words))
    root, plain = parsed(body), parsed(made(**hostile_everywhere("plain words")))
    assert [e.tag for e in root.iter()] == [e.tag for e in plain.iter()], "no element came or went"
    whole = "".join(root.itertext())
    assert not re.search(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\u200b\u202a-\u202e\u2066-\u2069\ufeff]", whole
    )
    assert b"<!DOCTYPE" not in body and b"<![CDATA[" not in body and b"<script" not in body
