"""An issued alert is updated, stood down, withdrawn; its days come due; everybody who had it hears of it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ewarn.desk.app import create_app
from ewarn.errors import Refused
from ewarn.pipeline import assess, read, respond, signin, versions
from ewarn.terms import Recipient
from tests.journeys.conftest import TOML, Corridor, _Mailbox, at

CASE = "LDN-2025-0001"
ALERT = f"{CASE}/A1"
ROOT = Path(__file__).resolve().parent.parent.parent
ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with staff and one case, made once: each test begins with a copy of it."""
    made = Corridor(tmp_path_factory.mktemp("prepared"), None, _Mailbox())
    (made.home / "ewarn.toml").write_text(TOML)
    made.staff(at("2025-05-17"))
    made.drop("test_results", [ROW], at("2025-05-19"))
    made.detect(at("2025-05-19"))
    with made.house(at("2025-05-19")).db.write("test") as tx:
        tx.execute("DELETE FROM delivery")  # the pages of the first detection have gone out
    return made.home


@pytest.fixture
def now(corridor: Any, prepared: Path) -> Any:
    return begun(corridor, prepared)


def begun(corridor: Any, prepared: Path) -> Any:
    shutil.copytree(prepared, corridor.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock"))
    return at("2025-05-19")


@pytest.fixture
def issued(corridor: Any, prepared: Path) -> Any:
    def make() -> None:
        now = begun(corridor, prepared)
        corridor.issue(CASE, now)
        assert respond.send(corridor.house(now), now).sent == 2

    corridor.once("an alert that was issued and sent", make)
    return at("2025-05-19")


def agree(corridor: Any, alert: str, now: Any) -> Any:
    house = corridor.house(now)
    fixed = assess.submit(house, alert, corridor.actor("author"), now)
    for person in ("ann", "ben"):
        fixed = assess.approve(house, alert, fixed.hash, corridor.actor(person), now, note="exercise")
    return fixed


def statuses(corridor: Any, now: Any, *numbers: int) -> list[str]:
    house = corridor.house(now)
    return [assess.show_alert(house, ALERT, number).status for number in numbers]


def parts(message: Any) -> list[str]:
    return [part.get_payload(decode=True).decode() for part in message.walk() if part.get_content_maintype() == "text"]


def test_an_update_says_what_it_replaces_and_what_changed_and_joins_the_thread(corridor: Any, issued: Any) -> None:
    later = issued + timedelta(days=3)
    house, author = corridor.house(later), corridor.actor("author")
    with pytest.raises(Refused, match="has gone out"):
        assess.edit(house, ALERT, {"headline": "x"}, author, later)
    corridor.drop("test_results", [ROW | {"sample_ref": "S2", "sold_as": "oxycodone"}], later)
    corridor.turn(later)
    draft = versions.update(house, ALERT, {"at_risk": "People who buy tablets."}, author, later, from_case=True)
    assert (draft.version, draft.kind, draft.status) == (2, "update", "draft")
    assert "+People who buy tablets." in draft.changes and any("version 2" in line for line in draft.changes)
    assert respond.send(house, later).sent == 0
    with pytest.raises(Refused, match="on its way already"):
        versions.update(house, ALERT, {}, author, later)
    assert agree(corridor, ALERT, later).status == "approved"
    assert respond.send(house, later).sent == 2
    first, second = corridor.mailbox.messages
    assert "This replaces version 1 of 19 May 2025" in " ".join(second["Subject"].split())
    assert all("This replaces version 1 of 19 May 2025." in text for text in parts(second))
    assert "This replaces version 1 of 19 May 2025." in str(corridor.partner_calls[-1]["blocks"])
    assert second["In-Reply-To"] == first["Message-ID"] and first["Message-ID"] in second["References"]
    assert len(second.get_all("Message-ID")) == 1 and second["Message-ID"] != first["Message-ID"]
    assert statuses(corridor, later, 1, 2) == ["updated", "issued"]
    assert "version 1" in assess.show_alert(corridor.house(later), ALERT, 1).text
    assert "Samples analysed: 2" in assess.show_alert(corridor.house(later), ALERT).text


@pytest.mark.parametrize("kind", [pytest.param("stood down", marks=pytest.mark.slow), "withdrawn"])
def test_an_end_reaches_whoever_has_a_version_and_nobody_else_and_nothing_follows(
    corridor: Any, issued: Any, kind: str
) -> None:
    later = issued + timedelta(days=2)
    house, author = corridor.house(later), corridor.actor("author")
    moved = {"areas": ("E09000008",), "channel": "exercise-email", "address": "clinic@example.org", "group": "x"}
    read.add_recipient(house, Recipient(id="clinic", name="Test clinic", **moved), later)
    fresh = {"areas": ("E09000007",), "channel": "exercise-email", "address": "new@example.org", "group": "health"}
    read.add_recipient(house, Recipient(id="newcomer", name="New", **fresh), later)
    why = "The laboratory corrected its result."
    end = versions.stand_down if kind == "stood down" else versions.withdraw
    end(house, ALERT, why, author, later)
    agree(corridor, ALERT, later)
    assert respond.send(house, later).sent == 2
    message = corridor.mailbox.messages[-1]
    assert message["To"] == "clinic@example.org", "it has moved to another borough and has version 1 all the same"
    assert not [m for m in corridor.mailbox.messages if m["To"] == "new@example.org"]
    for text in (*parts(message), str(corridor.partner_calls[-1]["blocks"])):
        assert why in text and f"is {kind}" in text and "This replaces version 1 of 19 May 2025." in text
    assert statuses(corridor, later, 1, 2) == [kind, kind]
    for step in (versions.stand_down, versions.withdraw):
        with pytest.raises(Refused, match=f"this alert is {kind} by version 2"):
            step(house, ALERT, "Again.", author, later)
    with pytest.raises(Refused, match=f"this alert is {kind}"):
        versions.update(house, ALERT, {}, author, later)
    with pytest.raises(Refused, match=f"this alert is {kind}"):
        assess.edit(house, ALERT, {"headline": "x"}, author, later)
    with house.db.write("test") as tx:
        tx.execute("UPDATE delivery SET state = 'waiting', next_attempt_at = NULL WHERE version = 1")
    assert respond.send(house, later).sent == 0, "what was withdrawn is not sent again"


def test_a_delivery_that_a_later_version_overtakes_is_not_sent_and_not_lost(corridor: Any, now: Any) -> None:
    where = (corridor.home / "smtp").read_text()
    (corridor.home / "smtp").write_text("127.0.0.1:1")
    corridor.issue(CASE, now)
    house, author = corridor.house(now), corridor.actor("author")
    assert respond.send(house, now).sent == 1
    versions.update(house, ALERT, {"headline": "Other words"}, author, now)
    later = now + timedelta(hours=1)
    agree(corridor, ALERT, later)
    (corridor.home / "smtp").write_text(where)
    assert respond.send(house, later).sent == 2
    assert [m["Subject"].count("version 2") for m in corridor.mailbox.messages] == [1]
    by = {(d.destination, d.version): d for d in respond.receipts(house, ALERT).deliveries}
    assert by["clinic", 1].state == "superseded" and "version 2 took its place" in by["clinic", 1].last_error
    told = [n["text"] for n in read.status(house, later).operator_notices if n["source"] == ALERT]
    assert told == [f"{ALERT}: not sent to clinic (version 1): version 2 took its place"]
    assert "superseded" in {e["act"] for e in assess.show_case(house, CASE).history}


@pytest.mark.slow
def test_one_that_was_being_sent_when_it_was_overtaken_is_not_sent_again(corridor: Any, issued: Any) -> None:
    house, author = corridor.house(issued), corridor.actor("author")
    with house.db.write("test") as tx:
        tx.execute(
            "UPDATE delivery SET state='sending', claimed_at=? WHERE destination='clinic' AND version=1", [issued]
        )
    versions.update(house, ALERT, {"headline": "Other words"}, author, issued)
    later = issued + timedelta(hours=1)
    agree(corridor, ALERT, later)
    respond.send(house, later)
    assert [("version 2" in m["Subject"]) for m in corridor.mailbox.messages] == [False, True]
    by = {(d.destination, d.version): d.state.value for d in respond.receipts(house, ALERT).deliveries}
    assert by["clinic", 1] == "superseded" and by["clinic", 2] == "sent"


@pytest.mark.slow
def test_a_version_that_went_out_meanwhile_must_be_named(corridor: Any, now: Any) -> None:
    corridor.issue(CASE, now)
    house, author = corridor.house(now), corridor.actor("author")
    assess.edit(house, ALERT, {"headline": "Other words"}, author, now)
    with house.db.write("test") as tx:
        tx.execute("UPDATE delivery SET state='sent', possible_repeat=true WHERE destination='clinic' AND version=1")
    with pytest.raises(Refused, match="does not say that it replaces version 1 of 19 May 2025"):
        assess.submit(house, ALERT, author, now)


@pytest.mark.slow
def test_days_of_review_and_end_come_due_by_themselves_once_each(corridor: Any, issued: Any) -> None:
    assert versions.fall_due(corridor.house(issued), issued) == []
    assert assess.list_alerts(corridor.house(issued), issued)[0].past == ""
    review = corridor.at(assess.show_alert(corridor.house(issued), ALERT).review_on, "08:00")
    respond.watch_silence(corridor.house(review), review)
    house = corridor.house(review)
    case = assess.show_case(house, CASE).case
    assert case.next_action.startswith(f"{ALERT} is past its review") and case.due_at <= review
    assert assess.list_alerts(house, review)[0].past == "due for review"
    token = signin.through(house, "duty", "test", review).token
    page = (
        TestClient(create_app(lambda: corridor.house(review), lambda: review), cookies={"ewarn": token}).get("/").text
    )
    assert ALERT in page and "<strong>Due: </strong>2 June 2025" in page and "16 June 2025" in page
    assert [n["topic"] for n in read.status(house, review).operator_notices if n["source"] == ALERT] == ["review due"]
    assert versions.fall_due(house, review + timedelta(hours=1)) == []
    assess.close_case(house, CASE, "confirmed", "Done.", corridor.actor("duty"), review)
    over = corridor.at(assess.show_alert(house, ALERT).expires_on, "08:00") + timedelta(days=1)
    assert versions.fall_due(corridor.house(over), over) == [(ALERT, "expired")]
    house = corridor.house(over)
    assert assess.show_case(house, CASE).case.status == "open", "a warning still stands: somebody must end it"
    assert assess.show_alert(house, ALERT, now=over).past == "expired"
    versions.stand_down(house, ALERT, "No event since.", corridor.actor("author"), over)
    agree(corridor, ALERT, over)
    respond.send(house, over)
    left = [n["topic"] for n in read.status(house, over).operator_notices if n["source"] == ALERT]
    assert left == [] and assess.show_alert(house, ALERT, now=over).past == ""


def test_the_public_gets_a_text_of_its_own_with_counts_suppressed_and_only_when_marked_clear(
    corridor: Any, now: Any
) -> None:
    made = {"areas": ("E09000007",), "channel": "exercise-email", "audience": "public", "group": "newsletter"}
    read.add_recipient(corridor.house(now), Recipient(id="list", name="List", address="list@example.org", **made), now)
    held = {w["destination"]: w["reason"] for w in corridor.issue(CASE, now).withheld}
    assert held["list"] == "marked TLP:AMBER: not for the public"
    corridor.content = corridor.home.parent / "content"
    for part in ("sources", "alerts"):
        shutil.copytree(ROOT / part, corridor.content / part)
    drop = corridor.content / "sources" / "drops" / "test_results.toml"
    drop.write_text(drop.read_text().replace("TLP:AMBER", "TLP:CLEAR"))
    open_to_all = corridor.issue(CASE, now)
    assert "fewer than 8 samples" in open_to_all.public_text and "1 sample" in open_to_all.text
    assert respond.send(corridor.house(now), now).sent == 5
    (message,) = [m for m in corridor.mailbox.messages if m["To"] == "list@example.org"]
    for text in parts(message):
        assert "fewer than 8 samples" in text and "1 sample" not in text and "Samples analysed" not in text
        assert "Everyone." in text and "Not for publication" not in text and "naloxone" in text
    versions.withdraw(corridor.house(now), open_to_all.id, "It was 1 sample, misread.", corridor.actor("author"), now)
    agree(corridor, open_to_all.id, now)
    respond.send(corridor.house(now), now)
    last = [m for m in corridor.mailbox.messages if m["To"] == "list@example.org"][-1]
    for text in parts(last):
        assert "is withdrawn" in text and "It was 1 sample" not in text and "looked at it again" in text
