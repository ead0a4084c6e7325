"""A partner reports without an account; the desk reads, redacts, joins, answers; who anybody is stays apart."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, purge, reporting, respond
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from tests.dispatch.test_injection import STORED
from tests.journeys.conftest import at

FRIDAY = at("2025-05-16", "17:00")
CANARY = "Zebedee Quince"
TOLD = Told(
    area="Camden", origin=Origin.FIRST_HAND, harm=Harm.OVERDOSE, persons=2, sold_as="diazepam",
    what=f"Two collapsed, {CANARY} was there.", organisation="A hostel (synthetic)", contact=f"{CANARY}, 020 7946 0000",
)  # fmt: skip


def picture(**more: Any) -> bytes:
    made = Image.effect_noise((64, 48), 40).convert("RGB")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = CANARY
    exif[0x8825] = {1: "N", 2: (51.0, 32.0, 0.0)}
    made.save(out, "JPEG", exif=exif, comment=CANARY.encode(), **more)
    return out.getvalue()


@pytest.fixture
def desk(corridor: Any) -> Any:
    corridor.staff(at("2025-05-12"))
    return corridor


def everything(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_the_reference_is_given_at_once_and_harm_calls_the_rota_without_a_word_that_was_typed(desk: Any) -> None:
    house = desk.house(FRIDAY)
    report = reporting.receive(house, TOLD, FRIDAY, picture())
    assert report.area == "E09000007" and report.has_contact and report.has_photo
    assert report.answer_by == at("2025-05-20", "17:00")  # 48 hours, the weekend not counted
    respond.send(house, FRIDAY)
    (call,) = desk.duty_calls
    assert report.ref in str(call) and "Camden" in str(call)
    assert CANARY not in str(call) and "EXERCISE" in str(call)
    assert reporting.receive(house, TOLD, FRIDAY, ref=report.ref) == report
    assert len(reporting.listed(house)) == 1


def test_nothing_typed_lies_in_the_clear(desk: Any) -> None:
    house = desk.house(FRIDAY)
    report = reporting.receive(house, TOLD, FRIDAY, picture())
    assert CANARY.encode() not in everything(desk.home)
    read = reporting.words_of(house, report.ref, "words", desk.actor("duty"), FRIDAY) or b""
    assert CANARY.encode() in read and b"7946" not in read
    contact = reporting.words_of(house, report.ref, "contact", desk.actor("duty"), FRIDAY) or b""
    assert b"7946" in contact
    with pytest.raises(Refused):
        reporting.words_of(house, report.ref, "words", Actor("stranger", "no secret of ours"), FRIDAY)


def test_a_photograph_loses_what_the_camera_wrote(desk: Any) -> None:
    house = desk.house(FRIDAY)
    assert CANARY.encode() in picture()
    report = reporting.receive(house, TOLD, FRIDAY, picture())
    kept = reporting.words_of(house, report.ref, "photo", desk.actor("duty"), FRIDAY) or b""
    assert CANARY.encode() not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert (opened.size, dict(opened.getexif())) == ((64, 48), {})


@pytest.mark.parametrize("body", [b"GIF89a", b"<svg/>", b"\xff\xd8\xff\xe0" + b"\0" * 50, b"%PDF-1.7"])
def test_what_is_no_photograph_is_refused(desk: Any, body: bytes) -> None:
    with pytest.raises(UsageFault):
        reporting.receive(desk.house(FRIDAY), TOLD, FRIDAY, body)


def test_redacted_joined_answered_and_on_the_case(desk: Any) -> None:
    house, duty = desk.house(FRIDAY), desk.actor("duty")
    ref = reporting.receive(house, TOLD, FRIDAY).ref
    with pytest.raises(UsageFault):
        reporting.redact(house, ref, "  ", duty, FRIDAY)
    told = reporting.redact(house, ref, "Two collapses after tablets sold as diazepam.", duty, FRIDAY)
    assert told.state == "redacted"
    joined = reporting.join(house, ref, "new", "", duty, FRIDAY)
    case = assess.show_case(house, joined.case)
    assert case.case.title == "Overdose reported in Camden, substance not known"
    assert ref in str(case.history) and CANARY not in str(case.history)
    assert [r.ref for r in reporting.listed(house, waiting=True)] == [ref]
    reporting.answered(house, ref, "Thank you: a warning is being written.", duty, FRIDAY)
    assert reporting.listed(house, waiting=True) == []
    assert "report answered" in [entry["act"] for entry in assess.show_case(house, joined.case).history]


@pytest.mark.slow
def test_no_word_of_a_report_goes_out_with_the_request_that_it_leads_to(desk: Any) -> None:
    """Not even the words that others may read: who asks the network writes what is asked."""
    house, bad = desk.house(FRIDAY), "\n".join(STORED)
    kinds = {"origin": Origin.SOCIAL_MEDIA, "harm": Harm.OVERDOSE}
    free = {"area": 80, "place": 200, "about_when": 60, "sold_as": 120, "looks_like": 300, "what": 5000,
            "organisation": 120, "contact": 300}  # fmt: skip
    ref = reporting.receive(house, Told(**kinds, **{key: bad[:most] for key, most in free.items()}), FRIDAY).ref
    reporting.redact(house, ref, bad, desk.actor("duty"), FRIDAY)
    case = reporting.join(house, ref, "new", bad, desk.actor("duty"), FRIDAY).case
    desk.issue(case, FRIDAY, "request for corroboration")
    respond.send(house, FRIDAY)
    assert len(desk.mailbox.messages) == 1 and len(desk.partner_calls) == 1 and len(desk.duty_calls) >= 1
    files = (desk.home / "published-alerts").rglob("*")
    mails = (part.get_payload(decode=True) or b"" for mail in desk.mailbox.messages for part in mail.walk())
    headers = (str(value) for mail in desk.mailbox.messages for value in mail.values())
    left = [*headers, *(body.decode() for body in mails), json.dumps([desk.partner_calls, desk.duty_calls])]
    left += [file.read_text() for file in files if file.is_file()]
    marks = (
        "evil.test",
        "alert(1)",
        "gnihtemos",
        "everybody",
        "urn:oasis:names:tc:emergency:cap:1.2'",
        "passwd",
        "7 * 7",
    )
    assert [mark for mark in marks if mark in "".join(left)] == []


def test_a_hoax_stays_on_record_and_asks_for_nothing(desk: Any) -> None:
    house, duty = desk.house(FRIDAY), desk.actor("duty")
    ref = reporting.receive(house, TOLD, FRIDAY).ref
    assert reporting.hoax(house, ref, "sent for six boroughs", duty, FRIDAY).state == "hoax"
    assert reporting.listed(house, waiting=True) == [] and len(reporting.listed(house)) == 1
    with pytest.raises(UsageFault, match="hoax"):
        reporting.join(house, ref, "new", "", duty, FRIDAY)


def test_the_contact_is_removed_after_its_time_and_the_rest_stays(desk: Any) -> None:
    house, duty = desk.house(FRIDAY), desk.actor("duty")
    ref = reporting.receive(house, TOLD, FRIDAY).ref
    late = FRIDAY + timedelta(days=1_828)
    assert purge.purge(house, FRIDAY).words == ()
    assert any(ref in words for words in purge.purge(house, late).words)
    assert reporting.words_of(house, ref, "contact", duty, late) is None
    assert reporting.words_of(house, ref, "words", duty, late) is not None
    assert not reporting.found(house, ref).has_contact and purge.purge(house, late).words == ()


def test_a_place_that_is_none_of_ours_is_not_guessed(desk: Any) -> None:
    house = desk.house(FRIDAY)
    told = TOLD.model_copy(update={"area": "behind the bins", "harm": Harm.NONE})
    assert reporting.receive(house, told, FRIDAY).area == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_any_bytes_are_a_photograph_or_are_refused(body: bytes) -> None:
    try:
        with Image.open(io.BytesIO(reporting.cleaned(body))) as opened:
            assert opened.format == "JPEG"
    except UsageFault as error:
        assert error.next_step


def test_references_can_be_said_and_do_not_repeat() -> None:
    made = {reporting.new_reference() for _ in range(2_000)}
    assert len(made) == 2_000 and all(len(ref) == 11 and not set("01OIL") & set(ref[2:]) for ref in made)
