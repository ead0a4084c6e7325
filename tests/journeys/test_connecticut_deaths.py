"""A foreign source read by a definition file alone: each row a record or a reject, drugs out of the cause's words."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ewarn.pipeline import receive
from ewarn.store import snapshots

ROWS = 10_654
DEFINITION = Path(__file__).with_name("definitions") / "connecticut_deaths.toml"


@pytest.mark.slow
def test_ten_thousand_deaths_are_read_out_of_their_cause(shared: Path, corridor: Any) -> None:
    now = corridor.at("2025-05-01")
    target = corridor.home / "content" / "sources" / "drops"
    target.mkdir(parents=True)
    shutil.copy(DEFINITION, target)
    house = corridor.house(now)
    file = shared / "data" / "incidents" / "connecticut_deaths_2012-2022.csv"
    (report,) = receive.intake(house, now, "connecticut_deaths", file, backfill=True).sources
    assert report.error == ""
    assert report.records == report.new + report.changed + report.unchanged + report.rejects == ROWS
    assert report.new > 10_600 and report.rejects < 5
    with house.db.read() as con:
        (receipt,) = snapshots.table(con, "connecticut_deaths").to_dicts()
        assert (receipt["new_records"], receipt["changed_records"]) == (report.new, report.changed)
        first = con.execute(
            """
            SELECT subject, min(reference_date), count(DISTINCT record_id) FROM record JOIN detection
            USING (record_id, version) WHERE mention_kind = 'substance' GROUP BY subject
            """
        ).fetchall()
        silent = con.execute(
            "SELECT count(*) FROM record ANTI JOIN detection USING (record_id, version)"
        ).fetchone()  # fmt: skip
    seen = {subject: (day.isoformat(), deaths) for subject, day, deaths in first}
    assert seen["xylazine"][0][:7] == "2019-03" and seen["xylazine"][1] > 500
    assert seen["fentanyl"][1] > 6_000 and seen["heroin"][1] > 2_500 and seen["cocaine"][1] > 2_500
    assert silent is not None and silent[0] < ROWS * 0.05
