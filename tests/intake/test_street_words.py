"""What was suspected is told in the words of the street."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ewarn import catalogue
from ewarn.intake import read


def test_street_words_stand_for_what_was_suspected(root: Path) -> None:
    shipped = catalogue.load(root)
    head = "organisation,incident_ref,stream,event_date,place,outcome,suspected_substances\n"
    rows = 'Ambulance,1,ambulance,2025-03-03,Camden,non-fatal,"Heroin, spice"\n'
    rows += "Ambulance,2,ambulance,2025-03-03,Camden,non-fatal,street valium|crikeydust\n"
    read_in = read(
        shipped.drops["overdose_incidents"],
        f"{head}{rows}".encode(),
        shipped,
        received_at=datetime(2025, 3, 4, tzinfo=UTC),
        backfill=False,
    )
    assert read_in.mentions.select("as_written", "subject").rows() == [
        ("Heroin", "heroin"), ("spice", "synthetic-cannabinoid"), ("street valium", "diazepam"), ("crikeydust", None)
    ]  # fmt: skip
