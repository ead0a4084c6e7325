"""What leaves as a table holds no formula, and nothing else is changed."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewarn.disclosure.cells import neutral, sheet

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "=HYPERLINK(\"http://x\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=", "-", "+44 20 7946",
        " =1+1", "\u00a0@x", "\ufeff=1", "\uff1d1", "'=1", '"=1"', "|calc", "%0A=1", "-1.2.3-x", "+x",
    ],
)  # fmt: skip
def test_what_could_be_a_formula_begins_with_an_apostrophe(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-3", "+4.5", "-1,234.5", "12%", "1e-5", "0", "-.5"])
def test_numbers_stay_numbers(cell: str) -> None:
    assert neutral(cell) == cell


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (-3, "-3"),
        (2.5, "2.5"),
        ("a=b", "a=b"),
        ("MDMA", "MDMA"),
        ("'x", "'x"),
        ("  x", "  x"),
        ("a-b", "a-b"),
    ],
)
def test_all_else_stays_as_it_is(cell: object, text: str) -> None:
    assert neutral(cell) == text


@given(st.lists(st.tuples(st.text(max_size=8), st.text(alphabet="=+-@\t\r\n,\"' 1x", max_size=6)), max_size=5))
def test_no_cell_of_a_sheet_begins_a_formula(rows: list[tuple[str, str]]) -> None:
    read = list(csv.reader(io.StringIO(sheet(("=a", "b"), rows), newline="")))
    assert read[0] == ["'=a", "b"] and len(read) == len(rows) + 1
    for row, wanted in zip(read[1:], rows, strict=True):
        for cell, was in zip(row, wanted, strict=True):
            assert cell in (was, f"'{was}")
            assert cell == neutral(cell) or cell.startswith("'")
            assert not cell.startswith(("=", "@", "\t", "\r", "\n"))


# Who else may write tables: files that only ewarn itself reads again.
OWN = {
    *("ewarn/disclosure/cells.py", "ewarn/intake/sheetchild.py", "ewarn/intake/oddlines.py", "ewarn/cli/demo/play.py"),
    "ewarn/pipeline/exercising.py",
}


def test_no_other_module_writes_a_table_for_people() -> None:
    found = set()
    for path in sorted((ROOT / "ewarn").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and (
                node.attr in ("write_csv", "write_excel", "DictWriter")
                or (node.attr == "writer" and isinstance(node.value, ast.Name) and node.value.id == "csv")
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found == OWN
