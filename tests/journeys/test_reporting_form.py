"""From the public form into the store, once: a collector killed anywhere loses nothing and enters nothing twice."""

from __future__ import annotations

import io
import multiprocessing
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from ewarn.personal import told
from ewarn.pipeline import answering, collecting, reporting
from ewarn.pipeline import told as telling
from ewarn.report import Harm, Origin, Told
from ewarn.store import operator_notices, partner_reports
from tests.answers.running import pages
from tests.journeys import collecting_child
from tests.journeys.conftest import at

NOW = at("2025-05-16", "17:00")
TOLD = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.OVERDOSE, what="Two fell.", contact="020 7946 0000")


@pytest.fixture
def desk(corridor: Any) -> Any:
    corridor.staff(at("2025-05-12"))
    return corridor


def sent(desk: Any, words: str = "Two fell.", photo: bytes = b"", when: datetime = NOW) -> str:
    """What the service does with a form."""
    house = desk.house(NOW)
    keys, said = answering.of_house(house), TOLD.model_copy(update={"what": words})
    ref = told.reference(keys, told.ticket(keys, when), said, photo)
    told.put(telling.folder(house), told.Sent(ref=ref, at=when, told=said, photo=photo), keys)
    return ref


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def test_a_report_is_taken_in_once_with_the_clock_it_was_sent_at(desk: Any) -> None:
    ref = sent(desk, photo=picture(), when=NOW - timedelta(hours=1))
    house = desk.house(NOW)
    assert collecting.collect(house, NOW).reports == (ref,)
    report = reporting.found(house, ref)
    assert (report.area, report.has_photo, report.received_at) == ("E09000007", True, NOW - timedelta(hours=1))
    again = collecting.collect(house, NOW)
    assert again.reports == () and again.exit_status == 0 and len(reporting.listed(house)) == 1
    assert list(telling.folder(house).glob("*.report")) == []
    keys = answering.of_house(house)
    assert not told.put(telling.folder(house), told.Sent(ref=ref, at=NOW, told=TOLD), keys), "the page loaded again"


@pytest.mark.parametrize("point", ["report", pytest.param("report file", marks=pytest.mark.slow)])
def test_from_the_form_over_a_killed_collector_into_the_store_once(desk: Any, point: str) -> None:
    now = datetime.now(UTC)
    house = desk.house(now)
    keys = answering.of_house(house)
    with pages(collecting.folder(house), keys[0]) as web:
        refs = [posted(web, f"Number {n}.") for n in range(3)]
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([collecting_child.__name__])
    child = forks.Process(target=collecting_child.collect, args=(str(desk.home), now.timestamp() + 5, point, 1))
    child.start()
    child.join(60)
    assert child.exitcode == -9
    later = now + timedelta(minutes=1)
    collecting.collect(desk.house(later), later)
    found = reporting.listed(desk.house(later))
    assert sorted(r.ref for r in found) == sorted(refs) and not list(telling.folder(house).glob("*.report"))


def posted(web: Any, words: str) -> str:
    """What somebody does with the form; the reference they are shown."""
    ticket = re.search(r'name="ticket" value="([^"]+)"', web.get("/report").text)
    assert ticket
    said = {"ticket": ticket[1], "what": words, "origin": "first-hand", "contact": "020 7946 0000"}
    shown = told.REFERENCE.search(web.post("/report", data=said, files={"photo": ("p.png", picture())}).text)
    assert shown
    return shown[0]


@pytest.mark.parametrize("point", ["seal", "save", "taken_in"])
def test_a_collector_that_ends_anywhere_loses_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    refs = {sent(desk, f"Number {n}.", picture()) for n in range(3)}
    room: Any = told if point == "taken_in" else partner_reports
    inner, calls = getattr(room, point), []

    def ends(*words: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return inner(*words, **more)

    with monkeypatch.context() as patched:
        patched.setattr(room, point, ends)
        with pytest.raises(KeyboardInterrupt):
            collecting.collect(desk.house(NOW), NOW)
    house = desk.house(NOW)
    collecting.collect(house, NOW)
    found = reporting.listed(house)
    assert {r.ref for r in found} == refs and len(found) == 3
    for ref in refs:
        assert all(partner_reports.opened(house.settings, ref, part) for part in ("words", "contact", "photo"))


def test_what_nobody_of_ours_sealed_is_put_aside_and_a_broken_photograph_costs_no_words(desk: Any) -> None:
    house = desk.house(NOW)
    folder = telling.folder(house)
    ref = sent(desk, photo=b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\xff" * 60)
    told.put(folder, told.Sent(ref="R-2222-2222", at=NOW, told=TOLD), ["x" * 64])
    (folder / "R-3333-3333.report").write_bytes((folder / f"{ref}.report").read_bytes())
    (folder / "R-4444-4444.report").write_bytes(b"")
    report = collecting.collect(house, NOW)
    assert report.reports == (ref,) and len(report.refused) == 3 and report.exit_status == 1
    assert not reporting.found(house, ref).has_photo and len(list((folder / "refused").iterdir())) == 3
    with house.db.read() as con:
        words = " ".join(operator_notices.open(con)["text"])
    assert "3 files of the reporting form's spool" in words and "1 photographs" in words


def test_the_list_tells_the_form_its_hours_and_boroughs(desk: Any) -> None:
    form = telling.form(desk.house(NOW))
    assert form.standing == "exercise" and "Camden" in form.areas and "09:00 to 17:00" in form.hours
    assert "Leeds" not in form.areas and len(form.areas) == 33
