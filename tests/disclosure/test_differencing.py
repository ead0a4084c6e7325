"""Somebody who knows the rule, and has every table, total, version, text and format, gets no hidden count back."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ewarn.disclosure import suppress
from ewarn.disclosure.rounding import SMALLEST_SHOWN, Cell, fresh, shown
from ewarn.disclosure.tables import public_table

AREAS, DRUGS = ("Camden", "Islington", "Leeds"), ("nitazene", "orphine")
WITHIN = {"area": {"Camden": "London", "Islington": "London", "Leeds": "Yorkshire", "London": "UK", "Yorkshire": "UK"}}
SMALL_OR_NOT = st.one_of(st.integers(0, 9), st.integers(0, 60))
TABLE = st.lists(SMALL_OR_NOT, min_size=6, max_size=6)
VERSIONS = st.lists(TABLE, min_size=1, max_size=3)


def frame(counts: list[int]) -> pl.DataFrame:
    rows = [(area, drug, n) for (area, drug), n in zip(product(AREAS, DRUGS), counts, strict=True)]
    return pl.DataFrame(rows, schema=["area", "drug", "count"], orient="row")


def tables(versions: list[list[int]]) -> list[pl.DataFrame]:
    made: list[pl.DataFrame] = []
    for counts in versions:
        made.append(public_table(frame(counts), ("area", "drug"), WITHIN, made[-1] if made else None))
    return made


def parts_of(area: str, drug: str) -> list[int]:
    """The cells that a row of the table adds up."""

    def inside(cell: str) -> bool:
        chain = [cell, WITHIN["area"][cell], "UK", "all"]
        return area in chain

    return [i for i, (a, d) in enumerate(product(AREAS, DRUGS)) if inside(a) and drug in (d, "all")]


def attack(published: list[pl.DataFrame], growing: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the published rows leave of every cell: the constraints of a linear programme over all versions."""
    size = 6 * len(published)
    matrix, upper = [], []
    for version, table in enumerate(published):
        for area, drug, low, high in table.select("area", "drug", "low", "high").iter_rows():
            row = np.zeros(size)
            row[[6 * version + i for i in parts_of(area, drug)]] = 1
            matrix += [row, -row]
            upper += [high, -low]
    for version in range(len(published) - 1) if growing else []:
        for cell in range(6):
            row = np.zeros(size)
            row[6 * version + cell], row[6 * (version + 1) + cell] = 1, -1
            matrix.append(row)
            upper.append(0)
    return np.array(matrix), np.array(upper)


def bounds(aim: np.ndarray, matrix: np.ndarray, upper: np.ndarray) -> tuple[int, int]:
    found = [linprog(sign * aim, A_ub=matrix, b_ub=upper, bounds=(0, None), method="highs") for sign in (1, -1)]
    assert all(f.status == 0 for f in found)
    return round(found[0].fun), round(-found[1].fun)


def derived(versions: list[list[int]]) -> list[str]:
    """Every hidden cell, and every small change of one, that is known to fewer than seven values."""
    growing = all(b >= a for one, two in pairwise(versions) for a, b in zip(one, two, strict=True))
    matrix, upper = attack(tables(versions), growing)
    told = []
    for version, counts in enumerate(versions):
        for cell, count in enumerate(counts):
            aim = np.zeros(matrix.shape[1])
            aim[6 * version + cell] = 1
            if 0 < count < SMALLEST_SHOWN:
                low, high = bounds(aim, matrix, upper)
                told += [f"cell {cell} v{version}: {low} to {high}"] if high - low + 1 < 7 else []
            if version and 0 < abs(count - versions[version - 1][cell]) < SMALLEST_SHOWN:
                aim[6 * (version - 1) + cell] = -1
                low, high = bounds(aim, matrix, upper)
                told += [f"change of {cell} v{version}: {low} to {high}"] if high - low + 1 < 7 else []
    return told


ATTACK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ATTACK
@given(VERSIONS)
def test_no_hidden_cell_and_no_small_change_comes_back_from_totals_and_versions(versions: list[list[int]]) -> None:
    assert derived(versions) == []


@ATTACK
@given(TABLE, st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=2))
def test_nor_where_it_is_known_that_counts_only_grow(first: list[int], steps: list[list[int]]) -> None:
    versions = [first]
    for step in steps:
        versions.append([a + b for a, b in zip(versions[-1], step, strict=True)])
    assert derived(versions) == []


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(VERSIONS)
def test_at_length_no_hidden_cell_comes_back(versions: list[list[int]]) -> None:
    assert derived(versions) == []


@given(TABLE, st.integers(0, 5), st.integers(1, 7))
def test_a_table_is_the_same_whatever_a_hidden_cell_is(counts: list[int], cell: int, other: int) -> None:
    one = [*counts[:cell], 3, *counts[cell + 1 :]]
    two = [*counts[:cell], other, *counts[cell + 1 :]]
    assert tables([one])[0].equals(tables([two])[0])


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
