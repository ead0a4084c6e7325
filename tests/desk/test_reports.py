"""Partners' reports at the desk: what waits, who reads what was typed, what others may read, and what becomes of it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from ewarn.pipeline import reporting
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from ewarn.store import audit
from tests.desk.conftest import SECRET

ACTOR = Actor("duty", SECRET.format("duty"))
XSS = "<img src=x onerror=alert(1)>"
CANARY = "Zebedee Quince"
TOLD = Told(
    area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what=f"{CANARY} fell. {XSS}", sold_as=XSS,
    organisation=f"A hostel (synthetic) {XSS}", contact=f"Quincey, 020 7946 0000 {XSS}",
)  # fmt: skip


@pytest.fixture
def ref(desk: Any, clock: Any) -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return reporting.receive(desk.house, TOLD, clock.now, out.getvalue()).ref


def acts(house: Any, ref: str) -> list[tuple[str, str]]:
    with house.db.read() as con:
        found = audit.entries(con)
    return found.filter(found["subject"] == ref).select("actor", "act").rows()


def test_those_that_wait_stand_first_and_late_ones_are_said_to_be_late(desk: Any, clock: Any, ref: str) -> None:
    duty = desk("duty")
    page = duty.get("/reports").text
    assert f'href="/reports/{ref}"' in page and "in 2 days" in page and "Late" not in page
    clock.on(days=3)
    late = desk("duty").get("/reports").text
    assert "Late: " in late and "24 hours ago" in late


def test_nothing_typed_is_shown_until_somebody_of_the_desk_reads_it_and_that_is_on_record(desk: Any, ref: str) -> None:
    duty, here = desk("duty"), f"/reports/{ref}"
    plain = duty.get(here).text
    assert CANARY not in plain and "7946" not in plain and "not placed" not in plain
    words = duty.form(here, f"{here}/words").text
    assert CANARY in words and "7946" not in words and 'name="beside"' in words
    assert XSS not in words and "&lt;img src=x" in words
    apart = duty.form(here, f"{here}/contact").text
    assert "7946" in apart and CANARY not in apart and 'src="data:image/jpeg;base64,' in apart and XSS not in apart
    seen = acts(desk.house, ref)
    assert {("duty", f"read report {part}") for part in ("words", "contact", "photo")} <= set(seen)
    assert desk("administrator").form("/account", f"{here}/words").status_code == 403
    assert desk("leeds").form(here, f"{here}/words").status_code == 403


@pytest.mark.parametrize(
    ("text", "words"),
    [("Ring 020 7946 0999", "a telephone number"), ("Behind NW1 8NH", "a full postcode"),
     ("Told by quincey at night", "a word of the contact")],
)  # fmt: skip
def test_a_redaction_that_says_who_somebody_is_is_looked_at_twice(desk: Any, ref: str, text: str, words: str) -> None:
    duty, here = desk("duty"), f"/reports/{ref}"
    answer = duty.form(here, f"{here}/redact", text=f"{text} {XSS}", beside="yes")
    assert answer.status_code == 400 and words in answer.text and 'href="#redact-text"' in answer.text
    assert CANARY in answer.text, "what was typed still stands beside it"
    assert XSS not in answer.text
    assert reporting.found(desk.house, ref).redacted == ""
    assert duty.form(here, f"{here}/redact", text=text, checked="yes").status_code == 303
    assert text in duty.get(here).text


def test_redacted_joined_to_a_case_of_its_own_and_answered(desk: Any, ref: str) -> None:
    duty, here = desk("duty"), f"/reports/{ref}"
    assert (
        duty.form(here, f"{here}/redact", text="One collapse. <svg/onload=alert(2)>", checked="yes").status_code == 303
    )
    assert duty.form(here, f"{here}/join", case="new", why="").status_code == 303
    case = reporting.found(desk.house, ref).case
    assert duty.form(here, f"{here}/answer", told=f"Thank you {XSS}").status_code == 303
    page = duty.get(here).text
    assert f'href="/cases/{case}"' in page and "Thank you &lt;img" in page
    assert XSS not in page and "<svg/onload" not in page and "&lt;svg/onload" in page
    assert ref in duty.get(f"/cases/{case}").text and "None waits." in duty.get("/reports").text


def test_a_hoax_is_marked_with_its_reason_and_waits_no_more(desk: Any, ref: str) -> None:
    duty, here = desk("duty"), f"/reports/{ref}"
    assert duty.form(here, f"{here}/hoax", why="sent for six boroughs").status_code == 303
    assert "hoax: sent for six boroughs" in duty.get("/reports").text
    assert "a new case for it" not in duty.get(here).text


@pytest.mark.parametrize(
    ("act", "field"), [("hoax", "why"), ("join", "why"), ("answer", "told"), ("redact", "text")]
)  # fmt: skip
def test_what_is_missing_is_said_at_its_form(desk: Any, ref: str, act: str, field: str) -> None:
    here = f"/reports/{ref}"
    answer = desk("duty").form(here, f"{here}/{act}")
    assert answer.status_code == 400 and f'href="#{act}-{field}"' in answer.text
    assert f'id="{act}-{field}"' in answer.text


@pytest.mark.parametrize("where", ["/", "/handover"])
def test_today_and_handover_count_what_waits_by_due_time_and_lead_there(
    desk: Any, clock: Any, ref: str, where: str
) -> None:
    duty = desk("duty")
    first = duty.get(where).text
    assert f'href="/reports/{ref}"' in first and "1 not read yet" in first
    assert ">1 report</a> of partners" in first and '<strong>Overdue: </strong><a href="/reports' not in first
    clock.on(days=3)
    later = reporting.receive(desk.house, TOLD, clock.now).ref
    reporting.redact(desk.house, ref, "Somebody fell.", ACTOR, clock.now)
    page = desk("duty").get(where).text
    assert page.index(f'href="/reports/{ref}"') < page.index(f'href="/reports/{later}"')
    assert f'<strong>Overdue: </strong><a href="/reports/{ref}">' in page and "1 not read yet" in page
    assert '<strong class="late">1 overdue</strong>' in page and ">2 reports</a> of partners" in page
    assert CANARY not in page and "7946" not in page
