"""What a person sees of an intake: every row accounted for, each table by name, and exports that calculate nothing."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any

HEAD = "sample_ref,laboratory,stream,date_sampled,place,sold_as,major\n"
GOOD = "A1,Lab,custody,2025-03-01,NW1,heroin,metonitazene\nA2,Lab,custody,2025-03-02,NW1,heroin,heroin\n"
BAD = "A3,Lab,custody,=cmd|' /C calc'!A0,NW1,heroin,heroin\n"


def packed(path: Path, **tables: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in tables.items():
            made.writestr(f"{name}.csv", text)
    return path


def test_rows_in_are_the_sum_of_what_became_of_them(door: Any, tmp_path: Path) -> None:
    first = packed(tmp_path / "a.zip", one=HEAD + GOOD, two=HEAD + BAD)
    second = packed(
        tmp_path / "b.zip", three=HEAD + GOOD.replace("heroin,heroin", "heroin,fentanyl") + BAD.replace("A3", "A4")
    )
    shown = door("intake", "--source", "test_results", "--file", str(first)).out
    assert "rows in = new + changed + same + rejects" in shown
    assert re.search(r"^ ?table 1 +2 +2 +0 +0 +0 ", shown, re.MULTILINE)
    assert "test_results (table 2): no row could be used" in shown
    answer = door("intake", "--source", "test_results", "--file", str(second), "--json")
    for source in answer.document["sources"]:
        assert source["records"] == source["new"] + source["changed"] + source["unchanged"] + source["rejects"]
        assert (source["member"], source["file"]) == ("table 1", "name withheld.zip")
        assert (source["records"], source["changed"], source["unchanged"], source["rejects"]) == (3, 1, 1, 1)


def test_a_file_nobody_knows_ends_in_status_4_and_is_kept(door: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd\n.csv"
    path.write_text("who,what\n1,2\n")
    answer = door("intake", "--file", str(path), "--json")
    assert answer.status == 4
    (source,) = answer.document["sources"]
    assert (source["source"], source["file"]) == ("_unknown", "name withheld.csv") and "kept" in source["error"]


def test_rejects_leave_as_csv_without_a_formula(door: Any, tmp_path: Path) -> None:
    source = door.content / "sources" / "drops" / "test_results.toml"
    overlay = door.home / "content" / "sources" / "drops"
    overlay.mkdir(parents=True)
    text = re.sub(r"(?m)^personal_data = .*$", 'personal_data = "none"', source.read_text())
    (overlay / "test_results.toml").write_text(text)
    door("intake", "--source", "test_results", "--file", str(packed(tmp_path / "a.zip", **{"=x": HEAD + BAD + GOOD})))
    answer = door("rejects", "list", "--csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["position"] for row in rows] == ["'=x.csv line 2"]
    assert set(rows[0]) == {"snapshot", "source", "position", "reason", "marking", "conditions"}
    assert door("rejects", "list", "--csv", "--json").document["rejects"]
