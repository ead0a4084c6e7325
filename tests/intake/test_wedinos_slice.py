"""The real drug-checking slice, end to end through the project's own definition."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ewarn import catalogue
from ewarn.intake import Staged, read


@pytest.fixture(scope="module")
def body(shared: Path) -> bytes:
    return (shared / "data" / "wedinos" / "wedinos_dev.csv").read_bytes()


@pytest.fixture(scope="module")
def staged(root: Path, body: bytes) -> Staged:
    known = catalogue.load(root)
    return read(known.drops["wedinos"], body, known, received_at=datetime(2026, 11, 22, tzinfo=UTC), backfill=True)


def test_every_row_is_a_record_and_none_a_reject(staged: Staged) -> None:
    assert (staged.records.height, staged.rejects.height) == (6012, 0)
    assert staged.records["reference_date"].equals(staged.records["known_date"].rename("reference_date"))
    assert staged.records["position"].n_unique() == 6012


def test_every_mention_is_named_or_queued_or_a_result(staged: Staged) -> None:
    kinds = staged.mentions.group_by("mention_kind").agg(pl.col("subject").is_null().all().alias("unnamed"))
    assert set(kinds.rows()) <= {("substance", False), ("class", False), ("status", False), ("queued", True)}
    assert staged.mentions["as_written"].str.len_chars().min() > 0


def test_morphine_is_no_orphine(staged: Staged) -> None:
    orphines = staged.mentions.filter(pl.col("class_id") == "orphine")
    assert orphines.filter(pl.col("as_written").str.to_lowercase().str.contains("morphine")).is_empty()
    morphine = staged.mentions.filter(pl.col("as_written").str.to_lowercase() == "morphine")
    assert morphine.height > 0 and morphine["subject"].unique().to_list() == ["morphine"]


def test_metonitazene_is_no_etonitazene(staged: Staged) -> None:
    written = staged.mentions.filter(pl.col("as_written").str.to_lowercase() == "metonitazene")
    assert written.height == 113 and written["subject"].unique().to_list() == ["metonitazene"]
    assert staged.mentions.filter(pl.col("subject") == "etonitazene").is_empty()


def test_every_record_is_placed_once_in_all(staged: Staged) -> None:
    shares = staged.places.group_by("row").agg(pl.col("share").sum())
    assert shares.height == 6012 and (shares["share"] - 1).abs().max() < 1e-9
    assert not staged.places["as_written"].str.contains(r"[A-Z]\d[A-Z0-9]? *\d[A-Z]{2}$").any()
