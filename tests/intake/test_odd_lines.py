"""Headers repeated, sums, remarks and second tables: read on, or rejected with the reason; never a row of the table."""

from __future__ import annotations

import pytest

from ewarn.intake import oddlines
from ewarn.intake.csvfile import LINE, open_csv, read_rows

HEAD = "ref,date,place,count\n"
ROWS = "".join(f"A{n},2025-03-{n:02},NW1,{n}\n" for n in range(1, 6))


def read(text: str) -> tuple[list[int], dict[int, str]]:
    """Lines of rows, and reason by line of rejects."""
    rows = read_rows(text.encode())
    return rows.frame[LINE].to_list(), dict(rows.rejects.select("line", "reason").rows())


@pytest.mark.parametrize(
    "again", [HEAD, HEAD.upper(), "Ref,Date,Place,Count\n", "\ufeff" + HEAD, " ref , date,place,count\n"]
)
def test_a_header_in_the_middle_is_a_reject_and_reading_goes_on(again: str) -> None:
    lines, rejects = read(HEAD + ROWS + again + ROWS)
    if again.startswith(" "):
        assert len(lines) + len(rejects) == 11
    else:
        assert lines == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12] and rejects == {7: oddlines.AGAIN}


@pytest.mark.parametrize(
    "line",
    [
        "Total,,,15", "TOTAL:,,,15", "Grand total,,,15", "Sub-total,,,15", "Totals,2025-03-31,NW1,15", ",Total,,15",
        "Total number of samples,,,15", "Average,,,3.0", "Count: 5,,,", ",,Total,15", "Sum of counts,,,15",
    ],
)  # fmt: skip
def test_sums_are_no_rows(line: str) -> None:
    assert read(f"{HEAD}{ROWS}{line}\n") == ([2, 3, 4, 5, 6], {7: oddlines.SUM})
    assert read(f"{HEAD}{ROWS}{line}\n{ROWS}")[1] == {7: oddlines.SUM}


@pytest.mark.parametrize(
    "line", ["Total: 15", "Source: the laboratory", "Total;15", "-- 5 rows --", "Total,15", "a,b,c,d,e,f"]
)
def test_lines_beneath_of_another_width_are_rejects(line: str) -> None:
    lines, rejects = read(f"{HEAD}{ROWS}\n{line}\n")
    assert lines == [2, 3, 4, 5, 6] and list(rejects) == [8]


@pytest.mark.parametrize(
    "row",
    ["Totality Ltd,2025-03-01,NW1,3", "A6,2025-03-01,Total,3", "A6,Total,NW1,1", "Countess,x,y,1", "Summer,2025,,"],
)
def test_rows_that_only_look_like_it_stay(row: str) -> None:
    assert read(f"{HEAD}{ROWS}{row}\n{ROWS}")[1] == {}


def test_a_row_with_one_cell_is_a_row_here_and_rejected_later_for_what_it_lacks() -> None:
    assert read(f"{HEAD}{ROWS}A6,,,\n")[1] == {}


def test_a_second_table_of_the_same_width_is_rejected_to_its_end() -> None:
    second = "name,born,street,floor\nx,1980-01-01,High Street,3\ny,1981-01-01,Low Street,4\n"
    lines, rejects = read(f"{HEAD}{ROWS}\n{second}")
    assert lines == [2, 3, 4, 5, 6] and set(rejects) == {8, 9, 10}
    assert set(rejects.values()) == {oddlines.SECOND.format(8)}


def test_a_second_table_of_another_width_is_rejected_line_by_line() -> None:
    lines, rejects = read(f"{HEAD}{ROWS}\narea,count\nE1,2\nE2,3\n")
    assert lines == [2, 3, 4, 5, 6] and set(rejects) == {8, 9, 10}


def test_empty_lines_alone_part_no_table() -> None:
    lines, rejects = read(f"{HEAD}{ROWS}\n\n{ROWS}\n   \n{ROWS}")
    assert len(lines) == 15 and set(rejects.values()) <= {"x"}
    assert read(f"{HEAD}{ROWS}\nunknown,unknown,unknown,unknown\nA9,2025-03-09,NW1,9\n")[1] == {}


def test_the_same_is_found_however_the_file_is_cut() -> None:
    second = "name,born,street,floor\nx,1980-01-01,High Street,3\ny,1981-01-01,Low Street,4\n"
    text = (HEAD + ROWS * 3 + HEAD + ROWS + "Total,,,60\n\n" + second).encode()
    whole = read_rows(text)
    for size in (30, 64, 100, 1000):
        parts = list(open_csv(text, ["ref"]).parts(size=size))
        assert sum(p.frame.height for p in parts) == whole.frame.height
        assert [n for p in parts for n in p.rejects["line"]] == whole.rejects["line"].to_list()
    assert whole.frame.height + whole.rejects.height == 25
