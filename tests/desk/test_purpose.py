"""People who enforce the law walk every page of the desk and meet no reporter, no seller, and nobody's words."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ewarn.desk.access import LINES, may
from ewarn.dispatch import render
from ewarn.errors import Refused
from ewarn.pipeline import api_tokens, assess, caseload, judging, read, reporting, standing
from ewarn.pipeline.reports import Actor
from ewarn.report import Harm, Origin, Told
from ewarn.store import alerts, operator_notices, recipients
from ewarn.terms import Person, PersonRole, Purpose, Recipient
from tests.desk.conftest import NOW, SECRET
from tests.desk.test_access import address

CASE = "EWARN-2025-0001"
REPORTER, HANDLE, PHONE, SELLER, HOSTEL = (
    "Zebedee Quince",
    "@quincepills",
    "020 7946 0123",
    "Bigdavesbest",
    "Quincehouse",
)
PLANTED = (REPORTER, "Zebedee", HANDLE, "quincepills", PHONE, "7946 0123", SELLER, HOSTEL)
WORDS = f"{REPORTER} of {HOSTEL} ({PHONE}) says {SELLER} sells it as {HANDLE}"
HEADER = "incident_ref,organisation,event_date,event_time,area_code,outcome,setting,suspected_substances\n"


def by(person: str) -> Actor:
    return Actor(person, SECRET.format(person))


@pytest.fixture
def planted(desk: Any) -> Any:
    """The same words wherever people or files may write them; an officer of every role, two of them by their group."""
    house = desk.house
    told = Told(area="Camden", origin=Origin.FIRST_HAND, harm=Harm.UNWELL, what=WORDS, sold_as=SELLER, contact=WORDS,
                organisation=HOSTEL)  # fmt: skip
    ref = reporting.receive(house, told, NOW).ref
    reporting.redact(house, ref, WORDS, by("duty"), NOW)
    reporting.join(house, ref, CASE, WORDS, by("duty"), NOW)
    reporting.answered(house, ref, WORDS, by("duty"), NOW)
    caseload.remark(house, CASE, WORDS, by("duty"), NOW)
    caseload.ask_laboratory(house, CASE, WORDS, HOSTEL, "urgent", by("duty"), NOW)
    assess.assign_case(house, CASE, actor=by("duty"), now=NOW, next_action=WORDS)
    assess.grade_case(
        house, CASE, "act-now", {q.id: WORDS for q in house.catalogue.grading.questions}, by("panel"), NOW
    )
    drafted = assess.draft(house, CASE, "share for information", by("duty"), NOW)
    assess.edit(house, drafted.id, {"headline": WORDS, "sold_as": [SELLER]}, by("duty"), NOW)
    judging.hold(house, standing.current(house, NOW).signals[0].id, WORDS, 3, by("duty"), NOW)
    for role in PersonRole:
        officer = Person(id=f"pc-{role.value}", name="An officer", roles=(role,), areas=("E12000007",),
                         purpose=Purpose.ENFORCEMENT if role is not PersonRole.DUTY else Purpose.CARE)  # fmt: skip
        read.add_person(house, officer, SECRET.format(officer.id), NOW, by("administrator"))
    with house.db.write("planted") as tx:
        operator_notices.put(tx, NOW, "a source", WORDS)
        recipients.save(tx, Recipient(id="met", name="A force", group="police", person="pc-duty", areas=("E12000007",),
                                      channel="email", address="met@example.org"), NOW, "ewarn")  # fmt: skip
        recipients.save(
            tx,
            Recipient(
                id="host",
                name=REPORTER,
                organisation=HOSTEL,
                group="health",
                areas=("E09000007",),
                channel="email",
                address="z@example.org",
            ),
            NOW,
            "ewarn",
        )
    house.db.publish()
    return desk


def met(text: str) -> list[str]:
    plain = re.sub(r"\s+", " ", text)
    return [words for words in PLANTED if words.lower() in plain.lower()]


def pages(desk: Any, role: str) -> list[str]:
    signal = standing.current(desk.house, NOW).signals[0].id
    shown = [line for line in LINES if line.method == "GET" and may(line, frozenset({PersonRole(role)}))]
    return [address(line).replace("0" * 20, signal) for line in shown]


def walked(desk: Any, role: str) -> None:
    """Every page and view that somebody of this role could open, as an officer."""
    officer, found, opened = desk(f"pc-{role}"), {}, []
    for path in pages(desk, role):
        answer = officer.get(path, follow_redirects=False)
        if words := met(answer.text):
            found[path] = words
        opened += [path] if answer.status_code == 200 else []
    assert found == {}
    closed = {"/reports", "/cases", "/alerts", "/people", "/recipients", "/pack", "/handover", "/situation", "/ask"}
    assert not closed & set(opened) and {"/", "/account"} <= set(opened), opened
    for form in ("/reports/R-2222-2222/words", "/reports/R-2222-2222/contact", "/pack/file", "/signals/x/rows"):
        assert officer.form("/account", form).status_code == 403, form


def test_an_officer_meets_nothing_on_any_page_or_view(planted: Callable[..., Any]) -> None:
    for role in PersonRole:
        walked(planted, role.value)
    seen = set(met(planted("duty").get(f"/cases/{CASE}").text))
    assert seen == set(PLANTED), "others meet the same words, so that looking for them finds them"


@pytest.mark.slow
def test_an_officer_reads_what_the_rules_say_and_no_row_and_so_does_their_system(planted: Callable[..., Any]) -> None:
    officer = planted("pc-panel")
    today = officer.get("/").text
    assert (
        "for enforcement" in today
        and "Not for enforcement." in today
        and "Camden" in today
        and 'href="/handover"' not in today
    )
    assert 'href="/reports' not in today and 'href="/cases' not in today
    signal = standing.current(planted.house, NOW).signals[0].id
    shown = officer.get(f"/signals/{signal}").text
    assert "The series" in shown and "Why it fired" in shown and "rows behind it</h2>" not in shown
    assert "Hold it" not in shown and "Table of rows" not in shown
    assert "Table of rows" in planted("duty").get(f"/signals/{signal}").text
    tokened(planted)


def tokened(planted: Any) -> None:
    """A token of an officer opens no more than the officer may."""
    made = api_tokens.make(planted.house, "a system", 30, by("pc-panel"), NOW)
    system, bearer = planted(), {"Authorization": f"Bearer {made.token}"}
    views = ("signals", "cases", f"cases/{CASE}", "counts", "reports", "alerts", f"alerts/{CASE}/A1", "sources")
    told = {view: system.get(f"/api/v1/{view}", headers=bearer) for view in views}
    assert {view: met(answer.text) for view, answer in told.items() if met(answer.text)} == {}
    open_to_them = {view for view, answer in told.items() if answer.status_code == 200}
    assert open_to_them == {"alerts", "sources"}, {view: answer.status_code for view, answer in told.items()}
    assert json.loads(told["signals"].text)["what"].endswith("it is not for enforcement")


@pytest.fixture
def submitted(desk: Any) -> Any:
    """A text before the panel, and an officer who sits on it."""
    officer = Person(id="pc-panel", name="An officer", roles=(PersonRole.PANEL,), areas=("E12000007",),
                     purpose=Purpose.ENFORCEMENT)  # fmt: skip
    read.add_person(desk.house, officer, SECRET.format(officer.id), NOW, by("administrator"))
    drafted = assess.draft(desk.house, CASE, "share for information", by("duty"), NOW)
    desk.text = assess.submit(desk.house, drafted.id, by("duty"), NOW)
    desk.house.db.publish()
    return desk


def test_an_officer_of_the_panel_reads_the_exact_text_and_approves_it(submitted: Any) -> None:
    officer, text = submitted("pc-panel"), submitted.text
    page = html.unescape(officer.get("/approvals").text)
    assert text.text in page and text.hash in page and 'href="/approvals"' in officer.get("/").text
    done = officer.form("/approvals", "/approvals/approve", alert=text.id, hash=text.hash)
    assert done.status_code == 303
    assert [d.person for d in assess.show_alert(submitted.house, text.id).approvals] == ["pc-panel"]
    assert text.text not in html.unescape(officer.get("/approvals").text)


def test_an_officer_neither_reads_nor_approves_what_is_kept_from_enforcement(submitted: Any) -> None:
    house, text = submitted.house, submitted.text
    with house.db.write("test") as tx:
        alert = alerts.load(tx, text.id)
        payloads = alerts.payloads(tx, text.id, text.version)
        assert alert is not None
        kept = alert.content | {"handling": {"conditions": ["Not for enforcement of any kind."]}}
        changed = alert.model_copy(update={"content": kept, "version": alert.version + 1})
        changed = changed.model_copy(update={"hash": render.bundle_hash(changed, payloads)})
        alerts.save(tx, changed, payloads, at=NOW, by="duty")
    house.db.publish()
    assert text.id not in submitted("pc-panel").get("/approvals").text
    with pytest.raises(Refused, match="not for enforcement"):
        assess.approve(house, text.id, changed.hash, by("pc-panel"), NOW)
    assert not assess.show_alert(house, text.id).approvals
    assert assess.approve(house, text.id, changed.hash, by("panel"), NOW).approvals


def test_an_approval_by_command_tells_an_officer_the_text_and_nothing_behind_it(submitted: Any) -> None:
    text = submitted.text
    told = assess.approve(submitted.house, text.id, text.hash, by("pc-panel"), NOW)
    assert told.text == text.text and told.approvals
    assert not (told.findings or told.deliveries or told.figures or told.withheld or told.releases)
    assert text.figures, "others are told them"
