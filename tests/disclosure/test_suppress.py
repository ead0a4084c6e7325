"""The public never reads a count of 1 to 7, nor gets it back from a total or a sentence."""

from __future__ import annotations

import pytest

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


def test_professionals_read_everything():
    assert suppress.for_audience(CONTENT, "professional") == CONTENT


def test_the_public_reads_no_small_count_no_record_and_no_handling():
    shown = suppress.for_audience(CONTENT, "public")
    assert [(f["label"], f["value"]) for f in shown["figures"]] == [
        ("People who died", "*"), ("People affected", "35"), ("Hospital", "6")
    ]  # fmt: skip
    assert shown["figures"][2]["released"] == "the panel, to warn"
    assert all(f["records"] == [] and f["signal"] == "" for f in shown["figures"])
    assert shown["what_happened"] == [*CONTENT["what_happened_public"], "Hospital: 6."]
    assert "handling" not in shown and "what_happened_public" not in shown


def test_a_sentence_that_still_holds_a_hidden_count_is_left_out():
    edited = {**CONTENT, "what_happened_public": [], "headline": "33 ill in Camden"}
    shown = suppress.for_audience(edited, "public")
    assert shown["what_happened"] == ["Hospital: 6."] and shown["headline"] == ""
