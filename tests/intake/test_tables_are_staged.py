"""CSV drops: every row a record or a reject, every value as the definition says, every note the operator needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from ewarn.catalogue.definitions import ColumnMap, DropDefinition
from ewarn.errors import UnusableInput
from ewarn.frames import SHAPES
from ewarn.intake import Staged
from ewarn.terms import canonical

Stage = Callable[..., Staged]
HEAD = "ref,date,tested,postcode,sold as,major,minor,colour,form,status\n"


def row(ref: str = "A1", **cells: str) -> str:
    """One line of a sample drop."""
    values = {
        "date": "2025-03-01",
        "tested": "2025-03-05",
        "postcode": "NW1",
        "sold as": "Heroin",
        "major": "Metonitazene",
    }
    values |= {name.replace("_", " "): cell for name, cell in cells.items()}
    names = HEAD.strip().split(",")
    return ",".join(f'"{({"ref": ref} | values).get(name, "")}"' for name in names) + "\n"


def test_frames_have_their_shapes(
    stage: Stage, sample_drop: DropDefinition, incident_drop: Any, count_drop: Any
) -> None:
    bodies = {
        "sample": HEAD + row(),
        "incident": "ref,date\n1,2025-03-01\n",
        "count": "area,date,count,out of\nE09000007,2025-03-01,4,10\n",
    }
    for definition in (sample_drop, incident_drop, count_drop):
        staged = stage(definition, bodies[definition.kind])
        assert staged.records.height == 1
        assert staged.records.schema == SHAPES[f"staged_{definition.kind.value}"]
        assert staged.mentions.schema == SHAPES["staged_mention"]
        assert staged.places.schema == SHAPES["staged_place"]
        assert staged.rejects.schema == SHAPES["staged_reject"]


def test_a_row_becomes_a_record_with_its_values(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row(colour="White, Glas", form="Tabled", sold_as="blue Valium"))
    (record,) = staged.records.to_dicts()
    assert (record["colour"], record["form"], record["stream"]) == ("blue, white", "tablet", "drug checking")
    assert (record["sold_as"], record["sold_as_subject"]) == ("blue Valium", "diazepam")
    assert record["position"] == "line 2"
    assert record["key"] == canonical({"ref": "A1"}).decode()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"ref": " "}, "blank key column ref"),
        ({"date": "yesterday"}, "unreadable date in date: 'yesterday'; write it as YYYY-MM-DD"),
        ({"date": "01/02/24"}, "unreadable date"),
        ({"date": "0024-01-01"}, "unreadable date"),
        ({"date": ""}, "blank reference date"),
        ({"date": "2025-03-12"}, "a date in the future"),
        ({"tested": "2025-13-01"}, "unreadable date in tested"),
    ],
)
def test_a_faulty_row_is_rejected_with_reason_and_raw_text(
    stage: Stage, sample_drop: DropDefinition, cells: dict[str, str], reason: str
) -> None:
    staged = stage(sample_drop, HEAD + row("good") + row(cells.pop("ref", "bad"), **cells))
    assert staged.records["position"].to_list() == ["line 2"]
    (reject,) = staged.rejects.to_dicts()
    assert reject["position"] == "line 3" and reason in reject["reason"]
    assert json.loads(reject["raw"])["major"] == "Metonitazene"


def test_tomorrow_is_not_yet_the_future(stage: Stage, sample_drop: DropDefinition) -> None:
    assert stage(sample_drop, HEAD + row(date="2025-03-11", tested="2025-03-11")).rejects.is_empty()


def test_structural_and_content_rejects_stand_in_file_order(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row(date="x") + "A2,2025-03-01\n" + row("A3") + row("A4", date="y"))
    assert staged.rejects["position"].to_list() == ["line 2", "line 3", "line 5"]
    assert staged.records["row"].to_list() == [0]


@pytest.mark.parametrize("missing", ["ref", "date"])
def test_without_its_key_or_reference_date_the_file_is_unusable(
    stage: Stage, sample_drop: DropDefinition, missing: str
) -> None:
    with pytest.raises(UnusableInput, match=missing) as caught:
        stage(sample_drop, HEAD.replace(missing, "other", 1) + row())
    assert "other_names" in caught.value.next_step


def test_headers_match_without_case_spaces_and_by_their_other_names(stage: Stage, sample_drop: DropDefinition) -> None:
    header = "REF, Date ,TEST DATE,Post Code,Sold_As,major,minor,colour,form,status\n"
    staged = stage(sample_drop, header + row())
    assert staged.records["known_date"].to_list()[0].isoformat() == "2025-03-05"
    assert staged.records["sold_as"].to_list() == ["Heroin"]
    assert staged.places["area"].to_list() == ["E09000007", "E09000033"]


def test_an_unknown_column_is_a_note_and_an_ignored_one_is_not(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, "ref,date,purity,collector\n1,2025-03-01,80,x\n")
    assert [note for note in staged.notes if "purity" in note and "collector" not in note]


def test_a_new_or_moved_column_does_not_change_a_record(stage: Stage, sample_drop: DropDefinition) -> None:
    plain = stage(sample_drop, "ref,date,major\n1,2025-03-01,Heroin\n")
    moved = stage(sample_drop, "purity,major,REF,date,minor,collector\n80,Heroin ,1,2025-03-01,,x\n")
    other = stage(sample_drop, "ref,date,major\n1,2025-03-01,Morphine\n")
    assert plain.records["content_hash"].equals(moved.records["content_hash"])
    assert not plain.records["content_hash"].equals(other.records["content_hash"])


def mentions(staged: Staged) -> list[tuple[Any, ...]]:
    return staged.mentions.select("role", "mention_kind", "subject", "class_id", "as_written").rows()


def test_lists_split_at_their_separator_and_never_at_commas(stage: Stage, sample_drop: DropDefinition) -> None:
    body = HEAD + row(major="5,6-dichloro desmethylchlorphine| |Morphine", minor="N,N-dimethyletonitazene|Zzz-7")
    assert mentions(stage(sample_drop, body)) == [
        ("major", "substance", "sr-17018", "orphine", "5,6-dichloro desmethylchlorphine"),
        ("major", "substance", "morphine", "opioid", "Morphine"),
        ("minor", "substance", "n-n-dimethyl-etonitazene", "nitazene", "N,N-dimethyletonitazene"),
        ("minor", "queued", None, None, "Zzz-7"),
    ]


def test_a_list_without_a_separator_gives_listed_names(stage: Stage, sample_drop: DropDefinition) -> None:
    columns = sample_drop.columns | {"major": ColumnMap(column="major")}
    body = HEAD + row(major="5,6-dichloro desmethylchlorphine") + row("A2", major="Heroin, Morphine")
    assert [m[1:3] for m in mentions(stage(sample_drop.model_copy(update={"columns": columns}), body))] == [
        ("substance", "sr-17018"), ("substance", "heroin"), ("substance", "morphine"),
    ]  # fmt: skip


def test_no_active_component_is_a_result(stage: Stage, sample_drop: DropDefinition) -> None:
    assert mentions(stage(sample_drop, HEAD + row(major="No Active Component Identified")))[0][1:3] == (
        "status", "no-active-component",
    )  # fmt: skip


def test_suspicions_in_prose_give_the_names_inside(stage: Stage, incident_drop: DropDefinition) -> None:
    body = 'ref,date,suspected\n1,2025-03-01,"heroin, perhaps a nitazene"\n2,2025-03-01,pink stuff\n3,2025-03-01,\n'
    assert mentions(stage(incident_drop, body)) == [
        ("suspected", "substance", "heroin", "opioid", "heroin"),
        ("suspected", "class", "nitazene", "nitazene", "nitazene"),
        ("suspected", "queued", None, None, "pink stuff"),
    ]


def test_a_method_belongs_to_what_was_tested_and_not_to_a_suspicion(
    stage: Stage, incident_drop: DropDefinition
) -> None:
    columns = incident_drop.columns | {
        "confirmed": ColumnMap(column="confirmed", split="|"),
        "method": ColumnMap(column="method"),
    }
    body = "ref,date,suspected,confirmed,method\n1,2025-03-01,heroin,Metonitazene,LC-MS\n"
    staged = stage(incident_drop.model_copy(update={"columns": columns}), body)
    assert staged.mentions.select("role", "method").rows() == [("confirmed", "LC-MS"), ("suspected", None)]


def test_measurements_go_with_a_lone_name_only(stage: Stage, sample_drop: DropDefinition) -> None:
    columns = sample_drop.columns | {
        "method": ColumnMap(column="method"), "presumptive": ColumnMap(column="test"),
        "concentration": ColumnMap(column="mg"), "unit": ColumnMap(value="mg"),
    }  # fmt: skip
    body = (
        "ref,date,major,method,test,mg\n1,2025-03-01,Heroin,GC-MS,confirmatory,12.5\n"
        "2,2025-03-01,Heroin|Morphine,strip,presumptive,3\n3,2025-03-01,Heroin,,,lots\n"
    )
    staged = stage(sample_drop.model_copy(update={"columns": columns}), body)
    assert staged.mentions.select("method", "presumptive", "concentration", "unit").rows() == [
        ("GC-MS", False, 12.5, "mg"), ("strip", True, None, None), ("strip", True, None, None),
    ]  # fmt: skip
    assert "not a number in mg: 'lots'" in staged.rejects["reason"][0]


@pytest.mark.parametrize("place", ["", "Array", "England", "UNKNOWN - PUBLISHED DUE TO PROFILE", "EH"])
def test_a_place_nobody_can_read_is_unplaced_in_the_default_area(
    stage: Stage, sample_drop: DropDefinition, place: str
) -> None:
    (where,) = stage(sample_drop, HEAD + row(postcode=place)).places.to_dicts()
    assert (where["area"], where["tier"], where["share"], where["precision"]) == ("K02000001", "uk", 1.0, "unplaced")


def test_a_full_postcode_leaves_only_its_outward_half(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row(postcode="NW1 8AB") + row("2", postcode="by ZZ1 1ZZ"))
    assert staged.places["as_written"].unique().sort().to_list() == ["NW1", "by ZZ1"]
    assert "8AB" not in str(staged.notes) and "1ZZ" not in str(staged.notes)


def test_a_valid_area_code_wins_over_the_place(stage: Stage, incident_drop: DropDefinition) -> None:
    body = "ref,date,place,gss\n1,2025-03-01,Westminster,E09000007\n2,2025-03-01,Westminster,E0\n"
    places = stage(incident_drop, body).places
    assert places.select("area", "precision").rows() == [("E09000007", "area code"), ("E09000033", "area name")]


def test_incidents_say_how_they_ended_and_for_how_many(stage: Stage, incident_drop: DropDefinition) -> None:
    body = (
        "ref,date,outcome,persons,cumulative,setting,until\n"
        "1,2025-03-01,Non fatal,,,Hostel,\n2,2025-03-01,died,12,yes,car park,2025-03-04\n"
        "3,2025-03-01,vanished,,,,\n4,2025-03-01,,-2,,,\n5,2025-03-01,,,perhaps,,\n6,2025-03-05,,,,,2025-03-01\n"
    )
    staged = stage(incident_drop, body)
    assert staged.records.select("outcome", "persons", "cumulative", "setting").rows() == [
        ("non-fatal", 1, False, "hostel"), ("fatal", 12, True, "other"),
    ]  # fmt: skip
    reasons = staged.rejects["reason"].to_list()
    assert "unknown outcome in outcome; write one of" in reasons[0] and "not a whole number in persons" in reasons[1]
    assert "vanished" not in " ".join(reasons), "what stands in an incident's cell can name a person"
    assert "neither yes nor no in cumulative" in reasons[2] and "ends before it begins" in reasons[3]
    assert any("a setting we have no word for" in note for note in staged.notes)
    assert "car park" not in str(staged.notes), "free text of an incident may name a person"


def test_one_site_has_one_label_and_two_towns_have_two(stage: Stage, incident_drop: DropDefinition) -> None:
    body = (
        "ref,date,place,site\n1,2025-03-01,Camden,The Crown\n2,2025-03-01,Camden,the  crown\n"
        "3,2025-03-01,Westminster,The Crown\n4,2025-03-01,Camden,\n"
    )
    labels = stage(incident_drop, body).records["place_label"].to_list()
    assert labels[0] == labels[1] != labels[2] and labels[3] is None
    assert "crown" not in str(labels).lower()


def test_small_counts_are_kept_as_written(stage: Stage, count_drop: DropDefinition) -> None:
    cells = ["12", "*", "<5", "", '"1,204"', "many", "-3", "0"]
    body = "area,date,count,out of\n" + "".join(f"E09000007,2025-03-0{i},{c},\n" for i, c in enumerate(cells, 1))
    staged = stage(count_drop, body)
    assert staged.records.select("value_text", "value", "suppressed").rows() == [
        ("12", 12.0, False), ("*", None, True), ("<5", None, True), ("", None, False), ("1,204", 1204.0, False),
        ("0", 0.0, False),
    ]  # fmt: skip
    assert staged.rejects.height == 2
    assert staged.records["indicator"].unique().to_list() == ["naloxone given"]


def test_a_withdrawn_row_is_retracted(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row(status="Retracted") + row("2", status="final"))
    assert staged.records["retracted"].to_list() == [True, False]


def test_blank_words_mean_not_stated(stage: Stage, sample_drop: DropDefinition) -> None:
    assert stage(sample_drop, HEAD + row(sold_as="Not Stated")).records["sold_as"].to_list() == [None]


@pytest.mark.parametrize(
    ("day", "time", "at", "basis"),
    [
        ("2025-03-03", "20:15", datetime(2025, 3, 3, 20, 15, tzinfo=UTC), "Europe/London"),
        ("2024-07-03", "20:15", datetime(2024, 7, 3, 19, 15, tzinfo=UTC), "Europe/London"),
        ("2024-10-27", "01:30", datetime(2024, 10, 27, 0, 30, tzinfo=UTC), "twice"),
        ("2024-03-31", "01:30", datetime(2024, 3, 31, 1, 30, tzinfo=UTC), "does not exist"),
        ("2025-03-03", "", None, "reference date from date"),
        ("2025-03-03", "late", None, "unreadable, date only"),
    ],
)
def test_clock_times_are_london_times(
    stage: Stage, incident_drop: DropDefinition, day: str, time: str, at: datetime | None, basis: str
) -> None:
    (record,) = stage(incident_drop, f"ref,date,time\n1,{day},{time}\n").records.to_dicts()
    assert record["reference_at"] == at and basis in record["basis"]


def test_the_basis_says_how_a_missing_known_date_is_read(stage: Stage, sample_drop: DropDefinition) -> None:
    body = HEAD + row(tested="")
    now, history = (stage(sample_drop, body, backfill=b).records.to_dicts()[0] for b in (False, True))
    assert now["known_date"] is None and "known when received" in now["basis"]
    assert "taken as the reference date" in history["basis"]


def test_too_large_a_file_is_refused(stage: Stage, sample_drop: DropDefinition) -> None:
    small = sample_drop.model_copy(update={"max_bytes": 1000})
    with pytest.raises(UnusableInput, match="bytes"):
        stage(small, HEAD + row() * 100)


def test_a_file_may_name_its_columns_as_it_likes(stage: Stage, sample_drop: DropDefinition) -> None:
    names = ["row", "reason", "line", "position", "text", "raw", "key", "area", "literal"]
    blank = "," * (len(names) - 1)
    body = f"ref,date,major,{','.join(names)}\n1,2025-03-01,Heroin,{blank}\n2,x,,{blank}\n"
    staged = stage(sample_drop, body)
    assert (staged.records.height, staged.mentions.height, staged.rejects.height) == (1, 1, 1)


def test_a_file_of_rejects_alone_stages_none(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row(date="x") + "A2,2025\n")
    assert staged.records.is_empty() and staged.mentions.is_empty() and staged.places.is_empty()
    assert staged.rejects["position"].to_list() == ["line 2", "line 3"]


def test_row_order_does_not_matter(stage: Stage, sample_drop: DropDefinition) -> None:
    rows = [row(str(i), major=name) for i, name in enumerate(["Heroin", "Zzz", "Metonitazene|Morphine"])]
    forth, back = (stage(sample_drop, HEAD + "".join(order)).records for order in (rows, rows[::-1]))
    columns = ["key", "content_hash", "reference_date", "sold_as_subject"]
    assert forth.select(columns).sort("key").equals(back.select(columns).sort("key"))


def test_children_belong_to_rows_that_exist(stage: Stage, sample_drop: DropDefinition) -> None:
    staged = stage(sample_drop, HEAD + row("1", date="x") + row("2") + row("3", postcode=""))
    rows = set(staged.records["row"])
    assert set(staged.mentions["row"]) <= rows and set(staged.places["row"]) == rows
    totals = staged.places.group_by("row").agg(pl.col("share").sum())["share"].to_list()
    assert all(abs(total - 1) < 1e-9 for total in totals)


def test_counts_of_two_organisations_have_two_keys_and_none_is_needed(stage: Stage, count_drop: DropDefinition) -> None:
    columns = {**count_drop.columns, "organisation": ColumnMap(column="organisation", other_names=("trust",))}
    drop = count_drop.model_copy(update={"columns": columns, "key_where_given": ("organisation",)})
    two = stage(drop, "area,date,count,trust\nE09000007,2025-03-01,5,North\nE09000007,2025-03-01,7,South\n").records
    assert two["key"].n_unique() == 2
    assert two["organisation"].to_list() == ["North", "South"]
    unsaid = stage(drop, "area,date,count\nE09000007,2025-03-01,5\n").records
    blank = stage(drop, "area,date,count,trust\nE09000007,2025-03-01,5,\n").records
    assert unsaid["key"].to_list() == blank["key"].to_list()
