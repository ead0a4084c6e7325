"""Somebody who knows the rule, and has every version, text and format, gets no hidden count of an alert back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ewarn.disclosure import suppress
from ewarn.disclosure.rounding import SMALLEST_SHOWN, Cell, fresh, shown


def bounds(aim: np.ndarray, matrix: np.ndarray, upper: np.ndarray) -> tuple[int, int]:
    found = [linprog(sign * aim, A_ub=matrix, b_ub=upper, bounds=(0, None), method="highs") for sign in (1, -1)]
    assert all(f.status == 0 for f in found)
    return round(found[0].fun), round(-found[1].fun)


def test_rounding_the_totals_by_themselves_would_give_a_hidden_cell_back() -> None:
    """The attack is no paper tiger: the plain rule fails it."""
    matrix = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]], dtype=float)
    plain = [fresh(9), fresh(3), fresh(12)]  # about 10 and a few make about 10: the few are four at most
    upper = np.array([end for cell in plain for end in (cell.high, -cell.low)], dtype=float)
    low, high = bounds(np.array([0.0, 1.0]), matrix, upper)
    assert high - low + 1 < 7


@given(st.integers(0, 80), st.lists(st.integers(0, 80), max_size=4))
def test_every_cell_holds_its_count_and_says_nothing_of_the_count_before(first: int, rest: list[int]) -> None:
    cell = shown(first)
    for count in rest:
        before, cell = cell, shown(count, cell)
        assert cell.low <= count <= cell.high
        same = [n for n in range(120) if shown(n, before) == cell]
        assert same == list(range(cell.low, cell.high + 1)), "the words state all that the rule tells"


# ---- Alerts: sentences, figures, versions -------------------------------------------------------------------------


def content(affected: int, died: int, samples: int, before: dict[str, list[list[int]]] | None = None) -> dict:
    lines = [
        {"figure": "People affected", "before": "On Monday,", "one": "person overdosed.", "many": "people overdosed.",
         "uncounted": "", "together": "people overdosed or died.", "first": True},
        {"figure": "People who died", "before": "Of these,", "one": "person died.", "many": "people died.",
         "uncounted": suppress.AMONG},
        {"figure": "Samples analysed", "before": "", "one": "sample.", "many": "samples.", "uncounted": ""},
    ]  # fmt: skip
    if died == affected:
        lines = [{**lines[0], "figure": "People who died", "uncounted": suppress.AMONG, "one": "person died.",
                  "many": "people died."}, lines[2]]  # fmt: skip
    rows = [("People who died", died), ("People affected", affected if affected != died else 0),
            ("Samples analysed", samples)]  # fmt: skip
    figures = [{"label": label, "value": n, "signal": "", "records": []} for label, n in rows if n]
    kept = [line for line in lines if line["figure"] in {f["label"] for f in figures}]
    return {"figures": figures, "what_happened_public": kept, "headline": "x", "published": before or {}}


PEOPLE = st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(0, 40)).map(
    lambda t: (t[0], min(t[0], t[1]), t[2])
)


@settings(max_examples=150)
@given(st.lists(PEOPLE, min_size=1, max_size=4))
def test_public_alerts_say_the_same_in_sentence_and_figure_and_survivors_are_not_counted(versions: list) -> None:
    before = None
    for affected, died, samples in versions:
        made = content(affected, died, samples, before)
        read, cells = suppress.for_audience(made, "public"), suppress.public_figures(made)
        text = " ".join(read["what_happened"])
        assert [f["value"] for f in read["figures"]] == [f.text for f in cells.values()]
        for label, figure in cells.items():
            count = {"People affected": affected, "People who died": died, "Samples analysed": samples}[label]
            assert f"{figure.words} " in text and figure.cell.low <= count <= figure.cell.high
        if "People who died" in cells and "People affected" in cells:
            low = max(0, cells["People affected"].cell.low - cells["People who died"].cell.high)
            high = cells["People affected"].cell.high - cells["People who died"].cell.low
            assert low >= SMALLEST_SHOWN or high - low + 1 >= 7
        before = suppress.published(made)


@given(st.integers(1, 7), st.integers(1, 7))
def test_the_public_cannot_tell_whether_some_or_all_of_a_few_died(affected: int, died: int) -> None:
    some = suppress.for_audience(content(7, 2, 0), "public")
    other = suppress.for_audience(content(affected, min(affected, died), 0), "public")
    assert (some["what_happened"], some["figures"]) == (other["what_happened"], other["figures"])


def test_a_released_count_is_said_exactly_and_professionals_read_every_count() -> None:
    made = content(5, 3, 12)
    made["figures"][0]["released"] = "to warn"
    read = suppress.for_audience(made, "public")
    assert "Of these, 3 people died." in read["what_happened"]
    assert [f["value"] for f in suppress.for_audience(made, "professional")["figures"]] == [3, 5, 12]
    assert shown(5, Cell(3, 3)) == Cell(1, 17), "what follows a released count is not read off it"
