"""A source that changes its file: seen, mapped where certain, told where not, and never read the other way unseen."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from ewarn.catalogue.definitions import ColumnMap, DropDefinition
from ewarn.errors import UnusableInput
from ewarn.intake import Staged, dateorder, drift
from ewarn.intake.tables import open_file
from tests.intake.conftest import NOW, drop
from tests.intake.workbooks import number, row, workbook

HEAD = ("ref", "date", "tested", "postcode", "sold as", "major", "unit", "concentration", "outcome")


def look(definition: DropDefinition, body: bytes, before: Any = None) -> drift.Look:
    return drift.look(definition, open_file(definition, body), before)


def lab(**more: Any) -> DropDefinition:
    columns = {
        "known_date": ColumnMap(column="tested"),
        "place": ColumnMap(column="postcode"),
        "sold_as": ColumnMap(column="sold as", required=True),
        "major": ColumnMap(column="major", split="|"),
        "unit": ColumnMap(column="unit"),
        "concentration": ColumnMap(column="concentration"),
        "colour": ColumnMap(column="colour", values={"glas": "blue", "coch": "red"}),
    }
    return drop(columns=columns, **({"date_formats": ("%d/%m/%Y",)} | more))


def table(rows: int = 30, head: Sequence[str] = HEAD, delimiter: str = ",", **changed: Callable[[int], str]) -> bytes:
    """A file of that many rows; a header 'old>new' stands as new over old's cells. `changed`: column -> its cells."""
    make: dict[str, Callable[[int], str]] = {
        "ref": lambda n: f"S{n}", "date": lambda n: f"{n % 28 + 1:02}/03/2024", "tested": lambda n: "28/04/2024",
        "postcode": lambda n: "NW1", "sold as": lambda n: "diazepam", "major": lambda n: "metonitazene",
        "unit": lambda n: "mg", "concentration": lambda n: f"{n + 10}", "outcome": lambda n: "x",
    }  # fmt: skip
    make |= {name.replace("_", " "): cells for name, cells in changed.items()}
    lines = [delimiter.join(name.rpartition(">")[2] for name in head)]
    lines += [delimiter.join(make[name.partition(">")[0]](n) for name in head) for n in range(rows)]
    return "\n".join(lines).encode()


def profile(body: bytes, definition: DropDefinition | None = None, before: Any = None) -> dict[str, Any]:
    """As the store gives it back."""
    return dict(json.loads(json.dumps(look(definition or lab(), body, before).profile)))


def remarks(now: bytes, then: bytes | None = None, definition: DropDefinition | None = None) -> str:
    made = definition or lab()
    return " | ".join(look(made, now, profile(then, made) if then else None).remarks)


def renamed(old: str, new: str) -> tuple[str, ...]:
    return tuple(f"{old}>{new}" if name == old else name for name in HEAD)


def test_the_same_shape_again_is_no_remark() -> None:
    assert remarks(table(), table(40)) == ""


def test_a_profile_holds_no_cell() -> None:
    text = json.dumps(profile(table(sold_as=lambda n: "a very private word")))
    assert "private" not in text and "NW1" not in text and "metonitazene" not in text


@pytest.mark.parametrize("spelt", ["SOLD_AS", "Sold  As", "sold-as", "sold.as", "Sold as:"])
def test_a_header_that_differs_in_case_blanks_or_points_alone_is_mapped(spelt: str, stage: Any) -> None:
    staged = stage(lab(), table(head=renamed("sold as", spelt)))
    assert staged.records["sold_as"].unique().to_list() == ["diazepam"]
    assert stage(drop(key=("Ref No",)), b"ref-no;date\nA1;2024-03-01\n").records.height == 1


def test_two_headers_that_could_be_one_are_mapped_to_neither() -> None:
    head = (*renamed("sold as", "sold-as"), "ref>sold.as")
    with pytest.raises(UnusableInput, match="no column 'sold as'"):
        look(lab(), table(head=head))


def test_a_needed_column_that_was_renamed_is_named_with_its_likely_new_name() -> None:
    for old, new in (("sold as", "sold as what"), ("date", "sample date"), ("ref", "ref.nr")):
        with pytest.raises(UnusableInput, match=f"'{old}' \\(perhaps '{new}' now\\)"):
            look(lab(), table(head=renamed(old, new)))
    with pytest.raises(UnusableInput, match="no column 'date' "):
        look(lab(), table(head=tuple(name for name in HEAD if name != "date")))


def test_a_new_name_is_also_told_by_what_its_cells_look_like() -> None:
    now = table(head=renamed("postcode", "district"))
    assert remarks(now, table()) == "the column 'postcode' is missing; 'district' may be its new name: if so, add it " \
        "to other_names"  # fmt: skip
    assert remarks(table(head=renamed("postcode", "free words"), postcode=lambda n: "x" * n), table()) == (
        "the column 'postcode' is missing"
    )


def test_a_column_a_source_never_had_is_not_missed() -> None:
    assert remarks(table()) == ""


def test_another_order_of_columns_is_read_by_name_and_said(stage: Any) -> None:
    now = table(head=HEAD[::-1])
    assert "another order" in remarks(now, table())
    again = stage(lab(), now).records
    assert again["content_hash"].to_list() == stage(lab(), table()).records["content_hash"].to_list()


def test_another_delimiter_or_encoding_is_said() -> None:
    assert "the delimiter changed from ',' to ';'" in remarks(table(delimiter=";"), table())
    assert "the encoding changed from 'UTF-8' to 'read as UTF-16'" in remarks(
        table().decode().encode("utf-16"), table()
    )


def test_units_and_magnitudes_that_change_are_said() -> None:
    assert "units not seen before: ug; before: mg" in remarks(table(unit=lambda n: "ug"), table())
    assert "about 1,000 times larger" in remarks(table(concentration=lambda n: f"{(n + 10) * 1000}"), table())
    assert remarks(table(concentration=lambda n: f"{(n + 10) * 3}"), table()) == ""


def test_blanks_and_foreign_words_are_said() -> None:
    assert "'major' is blank in 100% of the rows; before in 0%" in remarks(table(major=lambda n: ""), table())
    head = (*HEAD, "colour")
    words = remarks(table(head=head, colour=lambda n: f"shade {n}"), table(head=head, colour=lambda n: "glas"))
    assert "most words in 'colour' are new: 100%" in words


# ---------------------------------------------------------------- the order of day and month


def values(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"value": texts, "count": [1] * len(texts)}, schema={"value": pl.String, "count": pl.UInt32})


DMY, MDY, ISO = "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d"
EITHER_WAY = ("01/02/2024", "02/03/2024", "03/04/2024")


@pytest.mark.parametrize(
    ("formats", "texts", "before", "kept", "found", "said"),
    [
        ((DMY,), ("14/03/2024", *EITHER_WAY), "", (DMY,), "day-first", ""),
        ((DMY,), EITHER_WAY, "", (DMY,), "", "could be day-first or month-first: read as day-first"),
        ((DMY,), EITHER_WAY, "day-first", (DMY,), "", ""),
        ((DMY,), EITHER_WAY, "month-first", (DMY,), "", "though the file before was month-first"),
        ((DMY,), ("01/01/2024", "02/02/2024", "03/03/2024"), "", (DMY,), "", ""),
        ((DMY, MDY), EITHER_WAY, "", (DMY,), "", "read as day-first"),
        ((DMY, MDY), EITHER_WAY, "month-first", (MDY,), "", ""),
        ((DMY, MDY), ("03/14/2024", *EITHER_WAY), "", (MDY,), "month-first", ""),
        ((DMY, MDY), ("03/14/2024", *EITHER_WAY), "day-first", (MDY,), "month-first", "are month-first now"),
        ((DMY, MDY), ("14/03/2024", "03/14/2024"), "", (DMY, MDY), "", ""),
        ((ISO, DMY), ("2024-03-14", "2024-03-04", *EITHER_WAY), "", (ISO, DMY), "", "read as day-first"),
        ((ISO,), ("2024-03-04", "2024-02-05", "2024-01-06"), "", (ISO,), "", ""),
        ((DMY,), ("14/03/2024",) * 40 + ("03/14/2024", "04/05/2024"), "", (DMY,), "day-first", ""),
        ((ISO,), ("2024-14-03", "2024-03-04"), "", (ISO,), "", ""),
        ((DMY,), ("", "no date", "99/99/2024"), "", (DMY,), "", ""),
    ],
)  # fmt: skip
def test_a_files_dates_are_read_one_way(
    formats: tuple[str, ...], texts: tuple[str, ...], before: str, kept: tuple[str, ...], found: str, said: str
) -> None:
    order = dateorder.settle("date", values(*texts), formats, before)
    assert (order.formats, order.found) == (kept, found)
    assert said in " ".join(order.remarks) and bool(said) == bool(order.remarks)


@pytest.mark.parametrize(
    ("formats", "texts", "words"),
    [
        ((DMY,), ("03/14/2024", *EITHER_WAY), "are month-first: 1 of them"),
        ((DMY,), ("03/14/2024", "14/03/2024", *EITHER_WAY), "written both ways"),
        ((DMY, MDY), ("14/03/2024",) * 40 + ("03/14/2024", "04/05/2024"), "written both ways"),
        ((ISO,), ("2024-14-03",) * 5 + ("2024-03-04",), "the other way"),
        (("%d/%m/%Y %H:%M",), ("03/14/2024 10:00", "03/04/2024 10:00"), "month-first"),
    ],
)
def test_dates_that_cannot_be_told_are_refused(formats: tuple[str, ...], texts: tuple[str, ...], words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        dateorder.settle("date", values(*texts), formats)


def test_a_file_that_turned_month_first_is_refused_whole_and_no_row_of_it_read(stage: Any) -> None:
    with pytest.raises(UnusableInput, match=r"'date' are month-first"):
        stage(lab(), table(date=lambda n: f"03/{n % 28 + 1:02}/2024"))


def test_a_source_that_may_write_both_is_read_each_file_its_own_way(stage: Callable[..., Staged]) -> None:
    both = lab(date_formats=(DMY, MDY))
    day_first, month_first = table(20), table(20, date=lambda n: f"03/{n % 28 + 1:02}/2024")
    dates = [date(2024, 3, n + 1) for n in range(20)]
    late = {"tested": lambda n: "28/04/2024" if n == 99 else "04/28/2024"}
    assert stage(both, day_first).records["reference_date"].to_list() == dates
    turned = stage(both, table(20, date=lambda n: f"03/{n % 28 + 1:02}/2024", **late))
    assert turned.records["reference_date"].to_list() == dates
    assert "month-first now" in remarks(month_first, day_first, both)


def test_what_one_file_proved_stands_for_a_later_one_that_proves_nothing() -> None:
    both = lab(date_formats=(DMY, MDY))
    first = profile(table(20, date=lambda n: f"03/{n % 28 + 1:02}/2024"), both)
    second = look(both, table(12, date=lambda n: f"03/{n + 1:02}/2024"), first)
    assert second.definition.columns["reference_date"].formats == (MDY,)
    assert second.profile["orders"]["reference_date"] == "month-first"


def test_a_workbooks_own_dates_are_read_whatever_the_text_files_of_the_source_write(known: Any) -> None:
    from ewarn import intake

    body = workbook(
        {"S": [row("ref", "date", "sold as"), row("1", number(45364, "day"), "x"), row("2", "14/03/2024", "x")]}
    )
    staged = intake.read(lab(), body, known, received_at=NOW, backfill=False)
    assert staged.records["reference_date"].to_list() == [date(2024, 3, 13), date(2024, 3, 14)]
    assert staged.records["position"].to_list() == ["S!row 2", "S!row 3"]
    plain = intake.read(lab(), b"ref,date,sold as\n1,13/03/2024,x\n", known, received_at=NOW, backfill=False)
    assert staged.definition_hash == plain.definition_hash


def test_a_large_table_is_settled_once_every_row_was_seen(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ewarn import intake
    from ewarn.intake import tables

    for module in (drift, tables):
        monkeypatch.setattr(module, "PART_BYTES", 1_000)
    read = {"received_at": NOW, "backfill": False}
    with intake.open_drop(lab(), table(200), known, **read) as drop:
        assert drop.large and drop.seen.watch is not None
        assert sum(part.rows.height for part in drop.parts()) == 200
        drop.settle()
        assert drop.seen.profile["orders"] == {"reference_date": "day-first", "known_date": "day-first"}
    turned = table(200, date=lambda n: f"03/{n % 28 + 1:02}/2024")
    with intake.open_drop(lab(), turned, known, **read) as drop:
        assert sum(part.rejects.height for part in drop.parts()) > 0
        with pytest.raises(UnusableInput, match="month-first"):
            drop.settle()
    with intake.open_drop(lab(date_formats=(DMY, MDY)), turned, known, **read) as drop:
        assert drop.seen.watch is None and drop.seen.definition.columns["reference_date"].formats == (MDY,)
