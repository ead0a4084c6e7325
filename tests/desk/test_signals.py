"""A signal at the desk: down to its rows; dismissed, held, raised again, joined; and what a shift hands over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.assess.judged import Stand, judged
from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import judging, signin, standing
from ewarn.pipeline.receive import intake
from ewarn.pipeline.validate import detect
from ewarn.store import audit
from tests.desk.conftest import HEADER, HOSTILE, NOW

MORE = f"n9,Outreach,2025-03-03,23:45,E09000007,non-fatal,hostel,{HOSTILE}\n"


def signal_of(desk: Any) -> Any:
    return standing.current(desk.house, NOW).signals[0]


def arrives(desk: Any, tmp_path: Path, now: Any) -> None:
    """One more overdose of the same night, received and evaluated."""
    file = tmp_path / "more.csv"
    old = [f"n{n},Outreach,2025-03-03,{17 + n}:30,E09000007,non-fatal,hostel,{HOSTILE}\n" for n in range(6)]
    file.write_text(HEADER + "".join(old) + MORE)
    intake(desk.house, now, source="overdose_incidents", file=file)
    detect(desk.house, now)
    desk.house.db.publish()


def test_a_signal_goes_down_to_file_and_position(desk: Any) -> None:
    signal = signal_of(desk)
    page = desk("duty").get(f"/signals/{signal.id}").text
    assert "Would have stopped it" in page and "The series" in page and "Upper bound" in page
    assert "line 2" in page and page.count('<g class="hex ') == 33
    assert "<script>" not in page, "words of strangers are escaped"
    assert "As it came" not in page, "the text of a row is another question"


def test_who_reads_raw_text_is_on_the_audit_chain(desk: Any) -> None:
    signal = signal_of(desk)
    shown = desk("duty").form(f"/signals/{signal.id}", f"/signals/{signal.id}/rows")
    assert "As it came" in shown.text and "17:30" in shown.text
    with desk.house.db.read() as con:
        assert ("duty", "read raw text") in audit.entries(con).select("actor", "act").rows()
    assert desk("panel").form(f"/signals/{signal.id}", f"/signals/{signal.id}/rows").status_code == 403


def test_a_dismissed_signal_is_out_of_the_way_until_there_is_more(desk: Any, clock: Any, tmp_path: Path) -> None:
    duty, signal = desk("duty"), signal_of(desk)
    page, act = f"/signals/{signal.id}", f"/signals/{signal.id}/dismiss"
    empty = duty.form(page, act, why="no")
    assert empty.status_code == 400 and "A reason is needed" in empty.text and 'id="dismiss-why"' in empty.text
    done = duty.form(page, act, why="A drill by the ambulance service, rung and confirmed.")
    assert done.headers["location"] == "/"
    today = duty.get("/").text
    assert "Dismissed: " in today and "1 signal dismissed or held" in today
    assert "No signal fits what you chose" in today, "a page's own write is seen in its next view"
    clock.on(minutes=20)
    arrives(desk, tmp_path, clock.now)
    again = duty.get("/").text
    assert "raised again" in again and "A drill by the ambulance service" in again and "1 more record" in again


def test_a_hold_is_never_for_ever(desk: Any, clock: Any) -> None:
    duty, signal = desk("duty"), signal_of(desk)
    act = f"/signals/{signal.id}/hold"
    for days in ("0", "29", "x", ""):
        refused = duty.form(f"/signals/{signal.id}", act, why="Waiting for the laboratory.", days=days)
        assert refused.status_code == 400 and 'href="#hold-days"' in refused.text
    assert duty.form(f"/signals/{signal.id}", act, why="Waiting for the laboratory.", days="2").status_code == 303
    with desk.house.db.read() as con:
        from ewarn.store import judgements

        said = judgements.newest(con)[signal.id]
    assert judged(signal, said, NOW + timedelta(hours=47)).stand is Stand.HELD
    assert judged(signal, said, NOW + timedelta(hours=49)).stand is Stand.RAISED_AGAIN
    more = signal.model_copy(update={"observed": signal.observed + 1})
    assert judged(more, said, NOW + timedelta(hours=1)).stand is Stand.RAISED_AGAIN


def test_another_areas_duty_officer_judges_nothing_here(desk: Any, clock: Any) -> None:
    signal = signal_of(desk)
    answer = desk("leeds").form(f"/signals/{signal.id}", f"/signals/{signal.id}/dismiss", why="Not one of ours at all.")
    assert answer.status_code == 403 and "areas do not cover" in answer.text


def test_joining_keeps_who_and_why_and_refuses_what_is_there_already(desk: Any, clock: Any) -> None:
    signal = signal_of(desk)
    token = desk("duty").cookies["ewarn"]
    visitor = signin.visitor(desk.house, token, clock.now)
    assert visitor is not None
    with pytest.raises(UsageFault, match="holds this signal already"):
        judging.join(desk.house, signal.id, "EWARN-2025-0001", "They are one event.", visitor.actor(NOW), NOW)
    with pytest.raises(Refused, match="session has ended"):
        forged = visitor.actor(NOW)._replace(session="made up")
        judging.dismiss(desk.house, signal.id, "They are one event.", forged, NOW)


def test_today_says_what_changed_since_the_reader_last_looked(desk: Any, clock: Any, tmp_path: Path) -> None:
    duty = desk("duty")
    assert "You have not said yet" in duty.get("/").text
    duty.form("/", "/looked")
    assert "Nothing was done on any case since" in duty.get("/").text
    clock.on(minutes=20)
    arrives(desk, tmp_path, clock.now)
    after = duty.get("/").text
    assert "grown since you looked" in after and "on cases since" in after
    assert "You have not said yet" in desk("panel").get("/").text, "each reader has their own"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/?area=Camden", 1),
        ("/?area=Croydon", 0),
        ("/?stream=ambulance", 0),
        ("/?days=7", 1),
        ("/?subject=nitazenes", 0),
    ],
)
def test_filters_stand_in_the_address(desk: Any, address: str, shown: int) -> None:
    page = desk("duty").get(address).text
    assert page.count('<li class="card') == shown
    assert ("No signal fits what you chose; 1 stand" in page) == (not shown)


def test_an_area_nobody_knows_is_asked_about(desk: Any) -> None:
    answer = desk("duty").get("/?area=Camdun")
    assert answer.status_code == 400 and "Did you mean camden" in answer.text


def test_the_handover_page_names_owners_next_actions_and_due_times(desk: Any, clock: Any) -> None:
    duty, signal = desk("duty"), signal_of(desk)
    duty.form(f"/signals/{signal.id}", f"/signals/{signal.id}/hold", why="Waiting for the laboratory.", days="2")
    page = duty.get("/handover").text
    assert "EWARN-2025-0001" in page and "Waiting for the laboratory." in page and "GMT+00:00" in page


def test_a_large_home_is_never_asked_by_a_page_that_shows_the_answer_of_the_schedules(
    desk: Any, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LARGE", 3)
    monkeypatch.setattr(standing.validate, "detect", lambda *_, **__: pytest.fail("a page asked the rules"))
    assert "Camden" in desk("duty").get("/").text
    clock.on(hours=3)
    assert "the rules have not been asked since, 3 hours ago" in desk("duty").get("/").text
    with desk.house.db.write("test") as tx:
        tx.execute("DELETE FROM standing")
    assert "The rules have not been asked yet." in desk("duty").get("/").text, "an empty page is never calm"
