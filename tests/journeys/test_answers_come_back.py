"""From the link in a real e-mail over the real page into the store, once; a collector killed anywhere loses nothing."""

from __future__ import annotations

import multiprocessing
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ewarn.personal import spool
from ewarn.pipeline import answering, assess, casepage, collecting, respond, versions
from ewarn.store import answers, operator_notices, outbox
from ewarn.terms import LONDON
from tests.answers.running import pages
from tests.journeys import collecting_child
from tests.journeys.conftest import words_of
from tests.journeys.test_personal_links import CODE, LINK, begun, own

STARTED = datetime.now(UTC)
CASE = f"LDN-{STARTED.astimezone(LONDON).year}-0001"


@pytest.fixture
def now(corridor: Any) -> datetime:
    """The machine's own time: the pages run by that."""
    return begun(corridor, STARTED)


def own_key(corridor: Any, at: datetime) -> str:
    return answering.of_house(corridor.house(at))[0]


def rows(corridor: Any, at: datetime) -> list[dict[str, Any]]:
    with corridor.house(at).db.read() as con:
        return answers.all(con)


def test_a_partner_answers_from_the_message_and_the_case_shows_it(corridor: Any, now: datetime) -> None:
    corridor.issue(CASE, now)
    house = corridor.house(now)
    respond.send(house, now)
    mail = next(m for m in corridor.mailbox.messages if m["To"] == "clinic@example.org")
    text = words_of(mail)
    link, code = own(text).link, own(text).code
    said = {"act": "read", "name": "Ann", "organisation": "Test clinic"}
    with pages(collecting.folder(house), own_key(corridor, now)) as web:
        path = link.removeprefix("https://answer.example.org")
        assert "Metonitazene" in web.get(path).text or "metonitazene" in web.get(path).text
        assert rows(corridor, now) == [] and collecting.collect(house, now).taken == 0
        assert web.post(path, data=said).is_success
        to = web.post("/a", data={"code": code}).headers["location"]
        done = said | {"act": "acted", "text": "Told our keyworkers", "forwarded": "yes"}
        assert web.post(f"/{to}", data=done).is_success
        assert "in force" in web.get(f"/v/{CASE}").text
    later = now + timedelta(minutes=5)
    assert collecting.collect(corridor.house(later), later).taken == 2
    assert collecting.collect(corridor.house(later), later).taken == 0
    read, acted = rows(corridor, later)
    assert (read["destination"], read["act"], read["name"]) == ("clinic", "read", "Ann")
    assert (acted["act"], acted["text"], acted["forwarded"]) == ("acted", "Told our keyworkers", True)
    told = respond.receipts(corridor.house(later)).acknowledgements
    assert [(a["by"], a["text"]) for a in told] == [
        ("clinic", "read"), ("clinic", "read, and something was done, forwarded"),
    ]  # fmt: skip
    history = " ".join(e["why"] for e in assess.show_case(corridor.house(later), CASE).history)
    assert "clinic: read, and something was done" in history and "Ann" not in history
    heard = casepage.of(corridor.house(later), CASE, later).heard
    assert {(one.product, one.said, one.text) for one in heard} == {
        ("formal alert", "read", ""), ("formal alert", "read, and something was done", "Told our keyworkers"),
    }  # fmt: skip
    assert "Ann" not in str(heard)


@pytest.mark.slow
def test_the_page_of_an_older_version_says_which_one_is_in_force(corridor: Any, now: datetime) -> None:
    first = corridor.issue(CASE, now)
    respond.send(corridor.house(now), now)
    link = own(str(corridor.partner_calls[0])).link.removeprefix("https://answer.example.org")
    later = now + timedelta(hours=1)
    house = corridor.house(later)
    drafted = versions.withdraw(
        house, first.id, "The laboratory took its result back.", corridor.actor("author"), later
    )
    fixed = assess.submit(house, drafted.id, corridor.actor("author"), later)
    for person in ("ann", "ben"):
        assess.approve(house, fixed.id, fixed.hash, corridor.actor(person), later, note="exercise")
    respond.send(house, later)
    with pages(collecting.folder(house), own_key(corridor, later)) as web:
        assert "This alert was withdrawn" in web.get(link).text
        assert "Withdrawn: do not use it." in web.get(f"/v/{CASE}").text
        assert web.post(link, data={"act": "read", "name": "A", "organisation": "B"}).is_success
    assert collecting.collect(house, later).taken == 1
    assert rows(corridor, later)[0]["version"] == 1


@pytest.fixture
def spooled(corridor: Any, now: datetime) -> int:
    """Sixty answers that wait."""
    corridor.issue(CASE, now)
    house = corridor.house(now)
    respond.send(house, now)
    with house.db.read() as con:
        ids = [d.id for d in outbox.all(con) if d.alert]
    folder, keys = collecting.folder(house) / "spool", answering.of_house(house)
    for number in range(60):
        answer = spool.Answer(delivery=ids[number % len(ids)], act="read", at=now, name=f"N{number}")
        assert spool.put(folder, answer, keys) and not spool.put(folder, answer, keys)
    return 60


@pytest.mark.parametrize(
    ("point", "after"),
    [("store", 30), *(pytest.param(*p, marks=pytest.mark.slow) for p in (("file", 25), ("store", 0), ("file", 0)))],
)
def test_a_collector_killed_at_any_point_enters_every_answer_once(
    corridor: Any, now: datetime, spooled: int, point: str, after: int
) -> None:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([collecting_child.__name__])
    words = (str(corridor.home), now.timestamp(), point, after)
    child = forks.Process(target=collecting_child.collect, args=words)
    child.start()
    child.join(60)
    assert child.exitcode == -9
    corridor.house(now).db.publish()  # what a killed process wrote is shown a second later at the latest
    kept = len(rows(corridor, now))
    assert kept == (0 if point == "store" else spooled)
    report = collecting.collect(corridor.house(now), now)
    assert report.taken == spooled - kept and report.exit_status == 0
    names = [row["name"] for row in rows(corridor, now)]
    assert sorted(names) == sorted({f"N{number}" for number in range(spooled)})
    assert not list((corridor.home / "answers" / "spool").glob("*.json"))


def test_files_nobody_of_ours_wrote_are_put_aside_and_told(corridor: Any, now: datetime, spooled: int) -> None:
    folder = corridor.home / "answers" / "spool"
    forged = spool.Answer(delivery="0" * 16, act="read", at=now, name="Eve")
    spool.put(folder, forged, ["x" * 64])
    (folder / "broken.json").write_text("{")
    (folder / "large.json").write_bytes(b" " * 40_000)
    spool.put(folder, forged.model_copy(update={"name": "Stranger"}), answering.of_house(corridor.house(now)))
    report = collecting.collect(corridor.house(now), now)
    assert (report.taken, len(report.refused), report.exit_status) == (60, 4, 1)
    with corridor.house(now).db.read() as con:
        assert "4 files of the answer spool were put aside" in " ".join(operator_notices.open(con)["text"])
    assert len(list((folder / "refused").iterdir())) == 4


def test_files_that_were_taken_in_are_let_go_after_thirty_days(corridor: Any, now: datetime, spooled: int) -> None:
    collecting.collect(corridor.house(now), now)
    done = corridor.home / "answers" / "spool" / "done"
    assert len(list(done.iterdir())) == 60
    much_later = datetime.now(now.tzinfo) + timedelta(days=31)
    collecting.collect(corridor.house(much_later), much_later)
    assert list(done.iterdir()) == []


def test_the_list_holds_no_name_no_code_and_no_text(corridor: Any, now: datetime) -> None:
    corridor.issue(CASE, now)
    house = corridor.house(now)
    respond.send(house, now)
    words = (collecting.folder(house) / "shown.json").read_text()
    assert CASE in words and not CODE.search(words) and not LINK.search(words)
    assert not re.search(r"clinic|team0|example\.org|What happened|naloxone", words, re.I)
    assert collecting.publish(house, now) is False
