"""One page for each case and run, with what, where, how sure and why, and nothing about a person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ewarn.dispatch import page
from ewarn.terms import CaseChange, CaseFile, CaseSignal, Family, Signal

NOW = datetime(2025, 3, 2, 2, 10, tzinfo=UTC)


def a_change(
    ref: str = "LDN-2025-0001", act: str = "opened", pages: bool = True, standing: str = "actual"
) -> CaseChange:
    signal = Signal.model_validate(
        {
            "id": f"{ref}-{act}",
            "rule": "cluster-24h",
            "family": "cluster",
            "subject": {"kind": "none", "id": "", "name": ""},
            "area": {"code": "E09000007", "name": "Camden", "tier": "borough"},
            "period": {"start": date(2025, 3, 1), "end": date(2025, 3, 2)},
            "observed": 5,
            "records": ["r1"],
            "record_count": 5,
            "certain": 3,
            "persons_min": 5,
            "persons_max": 7,
            "why": "five in a day",
            "known_on": date(2025, 3, 2),
            "first_raised_on": date(2025, 3, 2),
            "standing": standing,
        }
    )
    case = CaseFile.model_validate(
        {
            "ref": ref,
            "title": "Overdoses in Camden, substance not known",
            "status": "open",
            "lead_area": "E09000007",
            "subject": {"kind": "none", "id": "", "name": ""},
            "keys": ("k",),
            "standing": standing,
            "opened_at": NOW,
            "next_action": "Ring the panel",
            "due_at": NOW,
            "signals": (CaseSignal(signal=signal, joined_at=NOW, why="w"),),
        }
    )
    return CaseChange(act=act, case=case, signal=signal.id, why=f"{act}: no open case is near", pages=pages)


def test_a_page_says_what_where_how_sure_why_and_how_to_answer():
    (made,) = page.compose([a_change()], NOW, {"E09000007": "Camden"}.__getitem__)
    assert made.subject == "LDN-2025-0001 opened: Overdoses in Camden, substance not known"
    for words in (
        "Reference: LDN-2025-0001. Area: Camden",
        "What: cluster. five in a day",
        "unverified signal; 3 of 5 records certainly in the area; 5 to 7 persons",
        "Why you are paged: opened: no open case is near",
        "Do: Ring the panel",
        f"ewarn duty ack {made.id}",
        "Actual event",
    ):
        assert words in made.text


def test_changes_are_batched_by_case_and_quiet_ones_make_no_page():
    changes = [a_change(), a_change(act="escalated"), a_change("LDN-2025-0002"), a_change("LDN-2025-0003", pages=False)]
    pages = page.compose(changes, NOW)
    assert [p.case for p in pages] == ["LDN-2025-0001", "LDN-2025-0002"]
    assert "opened and escalated" in pages[0].subject


def test_an_exercise_says_so_in_subject_and_text():
    (made,) = page.compose([a_change(standing="exercise")], NOW)
    assert made.subject.startswith("EXERCISE: ") and made.text.endswith("EXERCISE: not a real event.")


def test_the_panel_is_told_of_an_approval_by_one_member():
    made = page.panel_notice(a_change().case, "LDN-2025-0001/A1", "bob", NOW, NOW)
    assert "approved out of hours by one member" in made.subject and "second panel member" in made.text
    assert page.escalations([made], NOW + timedelta(days=1), 15) == []


def test_a_page_about_a_notice_quotes_nobody():
    change = a_change()
    held = change.case.signals[0]
    said = held.signal.model_copy(update={"family": Family.NOTICE, "why": "A notice: 'Jo Bloggs was found'"})
    case = change.case.model_copy(update={"signals": (held.model_copy(update={"signal": said}),)})
    (made,) = page.compose([change.model_copy(update={"case": case})], NOW)
    assert "Bloggs" not in made.text
    assert "What: notice, substance not known, Camden, 5 counted, 01 Mar to 02 Mar 2025" in made.text
