"""A store of one's own for every test, and stagings made of a few words a row."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ewarn.frames import empty, shaped
from ewarn.settings import Settings
from ewarn.store.database import Database
from ewarn.terms import RecordKind

NOON = datetime(2025, 6, 2, 11, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Staging:
    kind: RecordKind
    records: pl.DataFrame
    mentions: pl.DataFrame
    places: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=lambda: empty("staged_reject"))
    notes: tuple[str, ...] = ()
    definition_hash: str = "definition"


def make_staging(
    *rows: Mapping[str, Any],
    kind: RecordKind = RecordKind.SAMPLE,
    substance: str | None = "metonitazene",
    rejects: int = 0,
) -> Staging:
    """One record per mapping; `key` and `said` settle identity, the rest are columns of the staged frame."""
    records = [
        {
            "row": number,
            "position": f"line {number + 2}",
            "content_hash": str(row["said"]),
            "reference_date": date(2025, 5, 1),
            "basis": "as stated",
            "retracted": False,
            **{name: value for name, value in row.items() if name not in ("said", "mention", "area")},
        }
        for number, row in enumerate(rows)
    ]
    mentions = [
        {
            "row": number,
            "ordinal": 0,
            "role": "major",
            "mention_kind": "substance" if row.get("mention", substance) else "queued",
            "subject": row.get("mention", substance),
            "as_written": row.get("mention", substance) or "Mysterine",
        }
        for number, row in enumerate(rows)
    ]
    places = [
        {"row": number, "area": row.get("area", "E09000007"), "tier": "borough", "share": 1.0, "certain": True}
        for number, row in enumerate(rows)
    ]
    refused = [{"position": f"line {900 + n}", "reason": "the date cannot be read", "raw": "x"} for n in range(rejects)]
    return Staging(
        kind=kind,
        records=_shaped(f"staged_{kind.value}", records),
        mentions=_shaped("staged_mention", mentions),
        places=_shaped("staged_place", places),
        rejects=_shaped("staged_reject", refused),
    )


def _shaped(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return shaped(name, pl.DataFrame(rows)) if rows else empty(name)


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def staging() -> Callable[..., Staging]:
    return make_staging


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    return Settings(home=home, content=tmp_path, overlay=home / "content", lock_timeout_seconds=5)


@pytest.fixture(scope="session")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home just made, to be copied."""
    home = tmp_path_factory.mktemp("fresh") / "home"
    Database(Settings(home=home, content=home, overlay=home)).migrate(NOON)
    return home


@pytest.fixture
def db(settings: Settings, fresh_home: Path) -> Database:
    shutil.copytree(fresh_home, settings.home)
    return Database(settings)
