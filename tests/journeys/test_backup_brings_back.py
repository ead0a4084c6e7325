"""A home with a partner's report, its photograph, an answer, and more that waits, comes back whole from its backup."""

from __future__ import annotations

import io
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ewarn.errors import StoreFault
from ewarn.personal import spool, told
from ewarn.pipeline import answering, collecting, publishing, read, reporting, reportpage, respond
from ewarn.pipeline import told as telling
from ewarn.pipeline.house import House, open_house
from ewarn.report import Harm, Origin, Told
from ewarn.settings import load
from ewarn.store import answers, doctor
from tests.journeys.conftest import NITAZENE_ROW, TOML, at

NOW = at("2025-05-19")
CASE = "LDN-2025-0001"
TOLD = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what="Two fell.", contact="020 7946 0000")


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "PNG")
    return out.getvalue()


def sent(house: House, words: str, when: datetime) -> str:
    """What the public service does with a form."""
    keys, said = answering.of_house(house), TOLD.model_copy(update={"what": words})
    ref = told.reference(keys, told.ticket(keys, when), said, b"")
    told.put(telling.folder(house), told.Sent(ref=ref, at=when, told=said, photo=picture()), keys)
    return ref


def answer(house: House, text: str, when: datetime) -> None:
    delivery = respond.receipts(house, f"{CASE}/A1").deliveries[0]
    said = spool.Answer(delivery=delivery.id, act="acted", at=when, name="Ann", organisation="Test clinic", text=text)
    spool.put(collecting.folder(house) / collecting.SPOOL, said, answering.of_house(house))


@pytest.fixture
def used(corridor: Any) -> House:
    (corridor.home / "ewarn.toml").write_text('public_url = "https://answer.example.org"\n' + TOML)
    corridor.staff(at("2025-05-17"))
    corridor.drop("test_results", [NITAZENE_ROW], NOW)
    corridor.detect(NOW)
    corridor.issue(CASE, NOW)
    house: House = corridor.house(NOW)
    respond.send(house, NOW)
    later = NOW + timedelta(minutes=5)
    answer(house, "Told our keyworkers", later)
    sent(house, "Two fell.", later)
    assert collecting.collect(house, later).taken == 1
    answer(house, "And the night shelter", later)
    sent(house, "A third one fell.", later)
    (house.settings.home / "bounces").mkdir()
    (house.settings.home / "bounces" / "one.eml").write_bytes(b"From: x\r\n\r\nreturned\r\n")
    return house


def listed(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_reports_photographs_answers_and_what_waits_come_back(used: House, corridor: Any, tmp_path: Path) -> None:
    later = NOW + timedelta(hours=1)
    (report,) = reporting.listed(used)
    archive = read.backup(used, tmp_path / "a.zip", later).archive
    home = tmp_path / "restored"
    shutil.copytree(used.settings.home / "keys", home / "keys")  # keys are kept apart, and put back by a person
    for secret in ("smtp", "webhook", "duty"):
        shutil.copy(used.settings.home / secret, home / secret)
    read.restore(load(home, None, {}), Path(archive or ""))
    back = open_house(home, None, {}, clock=lambda _: later)
    duty = corridor.actor("duty")
    assert reporting.listed(back) == [report] and report.has_photo
    for part in ("words", "contact", "photo"):
        held = reporting.words_of(back, report.ref, part, duty, later)
        assert held and held == reporting.words_of(used, report.ref, part, duty, later), part
    assert ("What happened", "Two fell.") in reportpage.typed(back, report.ref, "words", duty, later)
    with back.db.read() as con:
        assert [row["text"] for row in answers.all(con)] == ["Told our keyworkers"]
    brought = collecting.collect(back, later)
    assert (brought.taken, len(brought.reports), brought.refused) == (1, 1, ())
    assert len(reporting.listed(back)) == 2
    assert (home / "bounces" / "one.eml").is_file()
    for house in (used, back):
        publishing.write(house, later)
    theirs, ours = (listed(h.settings.home / "published-alerts") for h in (used, back))
    assert theirs and theirs == ours
    said = {check.name: check for check in doctor.examine(back.db, later)}
    assert said["what rows name"].ok and said["audit chain"].ok and said["receipts"].ok, said
    shut = open_house(without_keys(archive, tmp_path), None, {}, clock=lambda _: later)
    with pytest.raises(StoreFault, match="key"):
        reporting.words_of(shut, report.ref, "words", duty, later)


def without_keys(archive: str | None, tmp_path: Path) -> Path:
    """The same archive in a home into which nobody put the keys."""
    read.restore(load(tmp_path / "shut", None, {}), Path(archive or ""))
    return tmp_path / "shut"
