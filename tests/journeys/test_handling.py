"""What originators ask travels with their records: rows, signals, cases, drafts and exports carry the strictest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import DropDefinition, Handling
from ewarn.cli import main
from ewarn.errors import Refused
from ewarn.pipeline import assess, handling, review, validate
from ewarn.store import cases
from ewarn.terms import MARKINGS, strictest

STRICT, AMBER = "TLP:AMBER+STRICT", "TLP:AMBER"
ENFORCEMENT, DEATHS = "Not for enforcement.", "Not for enforcement. Single deaths are not published."


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "incident_ref": f"I{number}", "organisation": "Ambulance (synthetic)", "stream": "ambulance",
        "event_date": "2025-04-30", "event_time": "21:00", "reported_date": "2025-04-30", "outcome": "non-fatal",
        "persons": "1", "place": "NW1", "setting": "hostel",
    } | more  # fmt: skip


def death(number: int) -> dict[str, Any]:
    return {
        "case_ref": f"D{number}", "laboratory": "Laboratory (synthetic)", "date_of_death": "2025-04-30",
        "date_reported": "2025-04-30", "place": "NW1", "setting": "home", "confirmed_substances": "metonitazene",
    }  # fmt: skip


def source(marking: str, conditions: str = "") -> DropDefinition:
    return DropDefinition(
        id="x", title="x", publisher="x", licence="x", cadence="x", personal_data="none", kind="sample", key=("k",),
        columns={"reference_date": {"column": "d"}}, handling=Handling(marking=marking, conditions=conditions),
    )  # fmt: skip


def test_the_strictest_wins_and_a_source_nobody_describes_is_the_strictest_of_all() -> None:
    drops = {"a": source("TLP:CLEAR"), "b": source(STRICT, "Ask first."), "c": source("TLP:GREEN", "Ask first.")}
    known = Catalogue(drops=drops)
    assert known.handling([]) == ("", ())
    assert known.handling(["a"]) == ("TLP:CLEAR", ())
    assert known.handling(["c", "b", "a"]) == known.handling(["a", "b", "c"]) == (STRICT, ("Ask first.",))
    marking, conditions = known.handling(["a", "gone"])
    assert marking == "TLP:RED" and "ask its originator" in conditions[0]
    assert [strictest(MARKINGS[: n + 1]) for n in range(5)] == list(MARKINGS)
    assert strictest(["", "TLP:GREEN"]) == "TLP:GREEN" and strictest(["TLP:RED", "a word nobody knows"]) not in MARKINGS


def test_one_stricter_record_tightens_all_that_rests_on_it(
    corridor: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = corridor.at("2025-05-01")
    corridor.staff(now)
    corridor.drop("overdose_incidents", [event(n) for n in range(6)] + [event(7, outcome="vanished")], now)
    house = corridor.house(now)
    before = corridor.detect(now, dry_run=True)
    assert (before.marking, before.conditions) == (AMBER, (ENFORCEMENT,))
    assert {s.marking for s in before.signals} == {AMBER}
    corridor.drop("post_mortem", [death(n) for n in range(3)], now)
    found = corridor.detect(now)
    assert (found.marking, set(found.conditions)) == (STRICT, {ENFORCEMENT, DEATHS})
    by_source = {}
    for signal in (one for s in found.signals for one in (s, *s.beneath)):
        trail = validate.explain(house, signal.id, now) if signal in found.signals else None
        if trail is not None:
            sources = frozenset(record["source"] for record in trail.records)
            by_source[sources] = signal.marking
            expected = STRICT if "post_mortem" in sources else AMBER
            assert signal.marking == trail.marking == expected
            assert {r["source"]: r["marking"] for r in trail.records} == {
                s: (STRICT if s == "post_mortem" else AMBER) for s in sources
            }
            assert all(ENFORCEMENT in record["conditions"] for record in trail.records)
    assert STRICT in by_source.values()
    with house.db.read() as con:
        refs = [case.ref for case in cases.all(con)]
    marked = {ref: assess.show_case(house, ref).marking for ref in refs}
    assert STRICT in marked.values()
    monkeypatch.setattr(handling, "MOST_SOURCES", 1)  # sources are still told where no more can be remembered
    assert {ref: assess.show_case(house, ref).marking for ref in refs} == marked
    ref = next(ref for ref, marking in marked.items() if marking == STRICT)
    assert f"Handling: {STRICT}." in review.situation(house, now)
    home = ["--home", str(corridor.home)]
    capsys.readouterr()
    for words, marking in (
        (["detect", "--dry-run", "--as-of", "2025-05-01"], STRICT), (["cases", "list"], STRICT),
        (["cases", "show", ref], STRICT), (["rejects", "list"], AMBER),
    ):  # fmt: skip
        assert main([*words, *home]) == 0
        assert f"Handling: {marking}. " in capsys.readouterr().out, words
        assert main([*words, *home, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["marking"] == marking and ENFORCEMENT in " ".join(document["conditions"])
    assert main(["rejects", "list", "--csv", *home]) == 0
    head, row = capsys.readouterr().out.splitlines()[:2]
    assert head.endswith("marking,conditions") and row.endswith(f"{AMBER},{ENFORCEMENT}")
    drafted = assess.draft(house, ref, "formal alert", corridor.actor("author"), now)
    assert STRICT in drafted.text and "Single deaths are not published" in drafted.text


def test_a_text_cannot_be_put_under_a_laxer_marking_or_shed_a_condition(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    corridor.staff(now)
    corridor.drop("overdose_incidents", [event(n) for n in range(6)], now)
    corridor.detect(now)
    house, author = corridor.house(now), corridor.actor("author")
    with house.db.read() as con:
        ref = cases.all(con)[0].ref
    drafted = assess.draft(house, ref, "formal alert", author, now)
    for change in ({"marking": "TLP:GREEN"}, {"audience": "Everybody."}):
        edited = assess.edit(house, drafted.id, change, author, now)
        with pytest.raises(Refused):
            assess.submit(house, edited.id, author, now)


def test_counts_alone_carry_the_marking_of_their_source(corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    rows = [
        {"area_code": "E09000007", "area": "Camden", "date": "2025-04-30", "indicator": "overdose", "count": "3"},
        {"area_code": "E09000007", "area": "Camden", "date": "2025-04-29", "indicator": "overdose", "count": "2"},
    ]
    assert corridor.drop("overdose_counts", rows, now).new == 2
    house = corridor.house(now)
    with house.db.read() as con:
        ids = [i for (i,) in con.execute("SELECT record_id FROM record").fetchall()]
        marking, conditions = handling.of_records(house, con, ids)
    assert marking == AMBER and "suppression of small numbers" in conditions[0]
