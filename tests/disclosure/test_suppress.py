"""The public never reads a count of 1 to 7, nor gets it back from a total or a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewarn.disclosure import suppress

CONTENT = {
    "reference": "LDN-2025-0001",
    "headline": "Overdoses in Camden",
    "figures": [
        {"label": "People who died, at least", "value": 3, "signal": "s", "records": ["r1"]},
        {"label": "People affected, at least", "value": 33, "signal": "s", "records": ["r2"]},
        {"label": "Hospital", "value": 6, "signal": "s", "records": ["r3"], "released": "the panel, to warn"},
    ],
    "what_happened": ["On 3 March 2025, 33 people were ill.", "Of these, 3 people died."],
    "what_happened_public": ["On 3 March 2025, about 35 people were ill.", "Of these, fewer than 8 people died."],
    "handling": {"marking": "TLP:CLEAR"},
}


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1, "*"), (7, "*"), (8, "10"), (12, "10"), (13, "15"), (33, "35")]
)
def test_one_to_seven_are_hidden_and_others_rounded_to_five(count, shown):
    assert suppress.cell(count) == shown


def test_a_total_over_one_hidden_cell_is_hidden():
    assert suppress.with_total([3, 20, 30]) == (["*", "20", "30"], "*")
    assert suppress.with_total([3, 4, 30]) == (["*", "*", "30"], "35")
    assert suppress.with_total([10, 20]) == (["10", "20"], "30")


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_no_cell_shows_a_small_count_and_one_hidden_cell_never_stands_beside_its_total(counts):
    cells, total = suppress.with_total(counts)
    assert set(cells).isdisjoint(str(n) for n in range(1, 8))
    assert cells.count("*") != 1 or total == "*"


def test_professionals_read_everything():
    assert suppress.for_audience(CONTENT, "professional") is CONTENT


def test_the_public_reads_no_small_count_no_record_and_no_handling():
    shown = suppress.for_audience(CONTENT, "public")
    assert [f["value"] for f in shown["figures"]] == ["*", "35", "6"]
    assert all(f["records"] == [] and f["signal"] == "" for f in shown["figures"])
    assert shown["what_happened"] == CONTENT["what_happened_public"]
    assert "handling" not in shown and "what_happened_public" not in shown


def test_a_sentence_that_still_holds_a_hidden_count_is_left_out():
    edited = {**CONTENT, "what_happened_public": [], "headline": "33 ill in Camden"}
    shown = suppress.for_audience(edited, "public")
    assert shown["what_happened"] == [] and shown["headline"] == ""
