"""Cases merged, split and handed on through the store; a laboratory's answer brings an issued text back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ewarn.errors import Refused, UsageFault
from ewarn.pipeline import assess, caseload, respond, versions
from ewarn.pipeline.reports import Actor
from tests.journeys.conftest import at

ROW = {
    "laboratory": "Laboratory (synthetic)", "stream": "drug-checking", "date_sampled": "2025-05-17",
    "date_reported": "2025-05-17", "sold_as": "diazepam", "test_type": "confirmatory", "status": "",
}  # fmt: skip
NOW = at("2025-05-19")


@pytest.fixture
def two(corridor: Any) -> Any:
    """Two cases of two classes."""
    corridor.staff(at("2025-05-17"))
    rows = [
        ROW | {"sample_ref": "S1", "area_code": "E09000007", "major": "metonitazene"},
        ROW | {"sample_ref": "S2", "area_code": "E09000007", "major": "cychlorphine"},
    ]
    corridor.drop("test_results", rows, NOW)
    corridor.detect(NOW)
    assert {case.ref for case in assess.list_cases(corridor.house(NOW))} == {"LDN-2025-0001", "LDN-2025-0002"}
    return corridor


@pytest.mark.slow
def test_merged_cases_keep_their_references_and_a_text_of_either_comes_due_on_the_one(two: Any) -> None:
    house, author = two.house(NOW), two.actor("author")
    issued = two.issue("LDN-2025-0002", NOW)
    respond.send(house, NOW)
    caseload.merge(house, "LDN-2025-0001", "LDN-2025-0002", "one batch", author, NOW)
    report = assess.show_case(house, "LDN-2025-0001")
    assert [a.id for a in report.alerts] == [issued.id]
    gone = assess.show_case(house, "LDN-2025-0002").case
    assert (gone.status, gone.merged_into) == ("closed", "LDN-2025-0001")
    with pytest.raises(UsageFault, match="closed"):
        assess.assign_case(house, "LDN-2025-0002", actor=author, now=NOW, owner="duty", next_action="x")
    later = NOW + timedelta(days=400)
    versions.fall_due(two.house(later), later)
    due = assess.show_case(two.house(later), "LDN-2025-0001").case
    assert issued.id in due.next_action and assess.show_case(house, "LDN-2025-0002").case.status == "closed"
    draft = versions.update(two.house(later), issued.id, {}, author, later, from_case=True)
    assert "metonitazene" in draft.text.casefold() and "chlorphine" in draft.text.casefold()


def test_a_laboratorys_answer_asks_for_the_text_to_be_looked_at(two: Any) -> None:
    house, author = two.house(NOW), two.actor("author")
    issued = two.issue("LDN-2025-0001", NOW)
    asked = caseload.ask_laboratory(house, "LDN-2025-0001", "white tablet", "Toxicology", "critical", author, NOW)
    assert (asked.id, asked.due_at) == ("LDN-2025-0001/T1", NOW + timedelta(hours=24))
    assess.close_case(house, "LDN-2025-0001", "unknown", "waiting for the laboratory", author, NOW)
    later = NOW + timedelta(days=2)
    caseload.laboratory_answered(two.house(later), asked.id, "protonitazene too", author, later)
    case = assess.show_case(house, "LDN-2025-0001")
    assert case.case.status == "open" and issued.id in case.case.next_action
    assert (case.tests[0].status, case.tests[0].result) == ("answered", "protonitazene too")
    with pytest.raises(UsageFault, match="answered already"):
        caseload.laboratory_answered(two.house(later), asked.id, "again", author, later)


def test_split_cases_and_moved_signals_are_told_apart_in_the_history(two: Any) -> None:
    house, author = two.house(NOW), two.actor("author")
    whole = caseload.merge(house, "LDN-2025-0001", "LDN-2025-0002", "x", author, NOW)
    signal = next(e.signal.id for e in whole.signals if e.why.startswith("merged"))
    fresh = caseload.split(house, whole.ref, [signal[:8]], "two batches after all", author, NOW)
    assert (fresh.ref, fresh.split_from) == ("LDN-2025-0003", "LDN-2025-0001")
    acts = [entry["act"] for entry in assess.show_case(house, whole.ref).history]
    assert acts[-2:] == ["merged", "split"]
    with pytest.raises(Refused):
        caseload.split(house, whole.ref, ["x"], "x", Actor("stranger", "a secret of nobody"), NOW)
