"""A case at the desk: its thread and everything people do with it, without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.pipeline import assess, reporting
from ewarn.report import Harm, Origin, Told

REF = "EWARN-2025-0001"
HERE = f"/cases/{REF}"
XSS = "<img src=x onerror=alert(1)>"


def test_the_list_leads_to_the_case_and_the_case_to_its_signals(desk: Callable[..., Any]) -> None:
    duty = desk("duty")
    assert f'href="{HERE}"' in duty.get("/cases").text
    page = duty.get(HERE).text
    assert "Camden" in page and re.search(r'href="/signals/[0-9a-f]+"', page)


def test_graded_verified_handed_on_decided_and_closed_at_the_desk(desk: Callable[..., Any]) -> None:
    panel = desk("panel")
    questions = {f"answer-{q.id}": f"said {XSS}" for q in desk.house.catalogue.grading.questions}
    sent = [
        panel.form(HERE, f"{HERE}/grade", grade="act-now", **questions),
        panel.form(HERE, f"{HERE}/verify", event="confirmed", substance="", link=""),
        panel.form(HERE, f"{HERE}/assign", owner="panel", next=f"Ring {XSS}", due="2025-03-04T14:30"),
        panel.form(HERE, f"{HERE}/outcome", outcome="formal alert", why=XSS),
        panel.form(HERE, f"{HERE}/note", why=f"Rang the hostel {XSS}"),
        panel.form(HERE, f"{HERE}/ask-laboratory", sample=XSS, laboratory="Laboratory (synthetic)", urgency="urgent"),
    ]
    assert [answer.status_code for answer in sent] == [303] * len(sent)
    case = assess.show_case(desk.house, REF).case
    assert (case.grade, case.verification_event, case.owner, case.outcome) == (
        "act-now", "confirmed", "panel", "formal alert",
    )  # fmt: skip
    page = panel.get(HERE).text
    assert XSS not in page and "&lt;img src=x" in page
    assert panel.form(HERE, f"{HERE}/close", **{"as": "confirmed", "why": "done"}).status_code == 303
    assert "Closed" in panel.get(HERE).text and assess.show_case(desk.house, REF).case.status == "closed"


@pytest.mark.parametrize("act", ["outcome", "note", "close", "verify", "assign", "lead", "ask-laboratory", "grade"])
def test_what_is_wrong_stands_at_the_form_with_what_was_typed(desk: Callable[..., Any], act: str) -> None:
    panel = desk("panel")
    answer = panel.form(HERE, f"{HERE}/{act}", next="", grade="no such grade", area="Nowhere", sample="", outcome="")
    assert answer.status_code == 400 and "There is a problem" in answer.text
    assert f'href="#{act}-why"' in answer.text and f'id="{act}-why"' in answer.text
    assert re.search(rf'<details id="{act}" open>', answer.text)


def test_a_report_joins_the_case(desk: Callable[..., Any], clock: Any) -> None:
    told = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what=f"Somebody {XSS}")
    ref = reporting.receive(desk.house, told, clock.now).ref
    duty = desk("duty")
    assert duty.form(HERE, f"{HERE}/join-report", report=ref, why="the same night").status_code == 303
    page = duty.get(HERE).text
    assert ref in page and "not redacted yet" in page and "Somebody" not in page


def test_somebody_of_another_area_is_refused(desk: Callable[..., Any]) -> None:
    leeds = desk("leeds")
    assert leeds.form(HERE, f"{HERE}/note", why="x").status_code == 403
    assert leeds.form(HERE, f"{HERE}/outcome", outcome="formal alert", why="x").status_code == 403


def test_a_draft_leads_to_its_text(desk: Callable[..., Any]) -> None:
    panel = desk("panel")
    answer = panel.form(HERE, f"{HERE}/draft", product="formal alert")
    assert answer.status_code == 303 and answer.headers["location"] == f"/alerts/{REF}/A1"
