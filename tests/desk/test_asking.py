"""Asking at the desk: a question in the address, rows that are judged and not stored, an answer saved to a case."""

from __future__ import annotations

from typing import Any

import pytest

from ewarn.pipeline import assess
from ewarn.store import tables
from tests.desk.conftest import HEADER

ROWS = HEADER + "".join(f"x{n},Outreach,2025-03-03,{14 + n}:30,E09000028,non-fatal,hostel,\n" for n in range(7))


def everything(desk: Any) -> list[tuple[str, int]]:
    with desk.house.db.read() as con:
        names = ("record", "receipt", "signal", "case_act", "reject", "audit")
        return [(name, tables.one(con, f"SELECT count(*) FROM {name}")) for name in names]


def test_anything_new_in_camden_this_week(desk: Any) -> None:
    page = desk("duty").get("/ask?area=Camden").text
    assert "1 signal in Camden became known from 26 February 2025 to 4 March 2025" in page
    assert "6 incidents are on record" in page and "not evaluable: not the same as no signal" in page
    calm = desk("duty").get("/ask?area=Croydon&subject=nitazene").text
    assert "No signal about" in calm and "in Croydon became known" in calm


def test_as_it_was_known_before_the_rows_came(desk: Any) -> None:
    page = desk("duty").get("/ask?area=Camden&as_of=2025-03-03T12:00").text
    assert "No signal in Camden became known" in page and "0 incidents are on record" in page


@pytest.mark.parametrize(
    ("address", "field"),
    [("area=Nowhere", "area"), ("area=&subject=fairy+dust", "subject"), ("area=&first=soon", "first"),
     ("area=&first=2025-03-01&last=2025-02-01", "last"), ("area=&as_of=then", "as_of")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_at_its_field(desk: Any, address: str, field: str) -> None:
    answer = desk("duty").get(f"/ask?{address}")
    assert answer.status_code == 400 and f'href="#{field}"' in answer.text


def test_pasted_rows_are_judged_and_nothing_of_them_is_stored(desk: Any) -> None:
    duty, before = desk("duty"), everything(desk)
    files = sorted(str(f) for f in (desk.house.settings.home / "raw").rglob("*"))
    page = duty.form("/ask", "/ask/rows", rows=ROWS).text
    assert "would rest on these rows" in page and "Southwark" in page and "7 rows read" in page
    uploaded = duty.form("/ask", "/ask/rows", files={"file": ("rows.csv", ROWS.encode())}).text
    assert "Southwark" in uploaded
    assert everything(desk) == before
    assert sorted(str(f) for f in (desk.house.settings.home / "raw").rglob("*")) == files


def test_rows_that_are_known_already_count_once(desk: Any) -> None:
    known = HEADER + "n0,Outreach,2025-03-03,17:30,E09000007,non-fatal,hostel,\n"
    page = desk("duty").form("/ask", "/ask/rows", rows=known).text
    assert "1 known already" in page and "No signal would rest on these rows" in page


@pytest.mark.parametrize("rows", ["", "what,is,this\n1,2,3\n", "\x00\x01\x02", HEADER])
def test_what_cannot_be_read_is_said_plainly(desk: Any, rows: str) -> None:
    answer = desk("duty").form("/ask", "/ask/rows", rows=rows)
    assert answer.status_code == 400 and "There is a problem" in answer.text


def test_an_answer_is_saved_to_a_case_by_a_named_person(desk: Any) -> None:
    ref = assess.list_cases(desk.house)[0].ref
    asked = {"area": "Camden", "case": ref, "remark": "Read to the panel."}
    done = desk("duty").form("/ask?area=Camden", "/ask/save", **asked)
    assert done.status_code == 303, done.text
    note = assess.show_case(desk.house, ref).history[-1]
    assert (note["act"], note["who"]) == ("note", "duty")
    assert note["why"].startswith("Asked: 1 signal in Camden became known") and "Read to the panel." in note["why"]
    elsewhere = desk("leeds").form("/ask?area=Camden", "/ask/save", **asked)
    assert elsewhere.status_code == 403
