"""What pages keep in memory is what the database says: after a correction, a large landing, an act, a session's end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ewarn.pipeline import caseshelf, signalpage, signin, standing, tallied, trailed
from ewarn.pipeline.house import House
from ewarn.pipeline.receive import intake
from ewarn.store import cases, explain, looking
from tests.desk.conftest import HEADER, NOW
from tests.desk.test_kept_ready import within

KINDS = ("sample", "incident")


def landed(house: House, tmp_path: Path, *rows: str) -> None:
    file = tmp_path / f"more-{rows[0][:3]}.csv"
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    intake(house, NOW, source="overdose_incidents", file=file)
    house.db.publish()


def test_rows_and_weeks_of_a_signal_follow_a_correction(desk: Any, tmp_path: Path) -> None:
    house, signal = desk.house, standing.current(desk.house, NOW).signals[0]
    before = signalpage.of(house, signal.id, NOW)
    landed(house, tmp_path, "n0,Outreach,2025-02-10,17:30,E09000007,non-fatal,hostel,heroin")
    after = signalpage.of(house, signal.id, NOW)
    with house.db.read() as con:
        told = [row for row in explain.trail(con, house.settings, list(after.signal.records)) if row["current"]]
        weeks = looking.weekly(con, KINDS, (), ["E09000007"], after.weeks[0].start, NOW)
        found = trailed.of(house, con, signal.records, NOW)
        assert found == explain.trail(con, house.settings, list(signal.records))
    assert list(after.rows) == told
    assert max(row["version"] for row in found) == 2
    assert {week.start: week.observed for week in after.weeks if week.observed} == weeks
    assert after.weeks != before.weeks


def test_a_large_landing_is_read_behind_the_page_and_is_then_in_it(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = desk.house

    def known() -> int:
        with house.db.read() as con:
            return sum(int(block.stands.sum()) for block in tallied.of(house, con, NOW).blocks)

    first = known()
    monkeypatch.setattr(tallied, "AT_ONCE", 1)
    tallied._HOMES.of(house).making.acquire()  # somebody reads, for long
    landed(house, tmp_path, *(f"m{n},Outreach,2025-03-03,18:30,E09000007,non-fatal,hostel,x" for n in range(5)))
    assert known() == first
    tallied._HOMES.of(house).making.release()
    assert within(10, lambda: known() == first + 5)


def test_an_act_on_a_case_is_on_its_pages_and_in_the_answers_to_systems_at_once(desk: Any) -> None:
    house, page = desk.house, desk("duty")
    (case,) = caseshelf.of(house).open
    assert page.get("/api/v1/cases").json()["open"] == [case.model_dump(mode="json")]
    here = f"/cases/{case.ref}"
    page.form(here, f"{here}/assign", owner="panel", next="Call the hostel", due="2025-03-05T10:00")
    with house.db.read() as con:
        (changed,) = cases.all(con, "open")
    assert changed != case and caseshelf.of(house).open == (changed,)
    assert page.get("/api/v1/cases").json()["open"] == [changed.model_dump(mode="json")]
    assert "Call the hostel" in page.get("/cases").text
    signal = changed.signals[0].signal.id
    with house.db.read() as con:
        assert caseshelf.of(house).with_signal(signal) == looking.cases_with(con, signal) != []


def test_a_session_that_was_ended_opens_nothing_and_a_role_ends_with_its_hour(desk: Any, clock: Any) -> None:
    house, page = desk.house, desk("panel")
    token = page.cookies["ewarn"]
    found = signin.visitor(house, token, clock.now)
    assert found is not None
    signin.break_glass(house, "duty", 1, "nobody else can be reached now", found.actor(clock.now), clock.now)
    roles = signin.visitor(house, token, clock.now).roles  # type: ignore[union-attr]
    assert "duty" in {role.value for role in roles}
    later = signin.visitor(house, token, clock.now + timedelta(minutes=59, seconds=59))
    assert later is not None and later.roles == roles
    assert page.get("/cases").status_code == 200
    signin.sign_out(house, found, clock.now)
    assert signin.visitor(house, token, clock.now) is None
    assert page.get("/cases", follow_redirects=False).status_code == 303
