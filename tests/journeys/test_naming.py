"""A name no list has: it waits, is named, dismissed and taken back; each is one line in a file, and records follow."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path
from typing import Any

import pytest

from ewarn.errors import UsageFault
from ewarn.pipeline import naming
from ewarn.store import lines
from ewarn.terms import MentionKind
from tests.journeys.test_replay import sample


def mentioned(corridor: Any, now: Any) -> dict[str, tuple[str, str | None]]:
    """As written -> (kind, subject) of what is known now."""
    from ewarn.pipeline import casework

    house = corridor.house(now)
    with house.db.read() as con:
        known = lines.as_known(con, casework.ages(house)).mentions
    newest = known.sort("version").unique("as_written", keep="last")
    return {w: (k, s) for w, k, s in newest.select("as_written", "mention_kind", "subject").iter_rows()}


def overlaid(house: Any, name: str) -> Path:
    """The class's file in the home's overlay, so that the project's own files are left alone."""
    target: Path = house.settings.overlay / "sources" / "substances" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(house.settings.content / "sources" / "substances" / name, target)
    return target


def changed_lines(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_a_name_is_given_its_substance_and_taken_back(corridor: Any) -> None:
    first, later, last = (corridor.at(day) for day in ("2025-05-01", "2025-05-08", "2025-05-20"))
    corridor.drop("test_results", [sample(1, "2025-04-28", "metonitazane|caffeine")], first)
    house = corridor.house(later)
    file = overlaid(house, "nitazene.toml")
    before = file.read_text()
    house = corridor.house(later)

    (waiting,) = naming.naming_queue(house)
    assert waiting["as_written"] == "metonitazane"
    assert waiting["suggestions"][0]["substance"] == "metonitazene"
    assert waiting["suggestions"][0]["confidence"] in ("likely", "very likely")

    answer = naming.name(house, "metonitazane", "metonitazene", later)
    assert (answer.file, answer.changed) == (str(file), 1)
    added = changed_lines(before, file.read_text())
    assert [line for line in added if "metonitazane" in line] == ['+    "metonitazane", # named 2025-05-08']
    assert len(added) <= 4
    assert mentioned(corridor, last)["metonitazane"] == (MentionKind.SUBSTANCE, "metonitazene")
    assert naming.naming_queue(corridor.house(last)) == []

    naming.undo(corridor.house(last), "metonitazane", last)
    assert "metonitazane" not in file.read_text()
    assert mentioned(corridor, last)["metonitazane"] == (MentionKind.QUEUED, None)


def test_words_that_name_nothing_are_dismissed_and_taken_back(corridor: Any) -> None:
    first, later = corridor.at("2025-05-01"), corridor.at("2025-05-08")
    corridor.drop("test_results", [sample(1, "2025-04-28", "see overleaf")], first)
    house = corridor.house(later)
    file = overlaid(house, "_results.toml")
    before = file.read_text()
    naming.dismiss(corridor.house(later), "see overleaf", later)
    assert mentioned(corridor, later)["see overleaf"] == (MentionKind.STATUS, "no-substance-named")
    assert naming.naming_queue(corridor.house(later)) == []
    naming.undo(corridor.house(later), "See  Overleaf", later)
    assert len(naming.naming_queue(corridor.house(later))) == 1
    assert "overleaf" not in file.read_text() and len(changed_lines(before, file.read_text())) <= 2


def test_what_cannot_be_named_is_refused_and_nothing_is_written(corridor: Any) -> None:
    now = corridor.at("2025-05-08")
    house = corridor.house(now)
    file = overlaid(house, "nitazene.toml")
    before = file.read_bytes()
    house = corridor.house(now)
    with pytest.raises(UsageFault, match="already names"):
        naming.name(house, "heroin", "metonitazene", now)
    with pytest.raises(UsageFault, match="Most like the name: metonitazene"):
        naming.name(house, "metonitazane", "metonitazan", now)
    with pytest.raises(UsageFault, match="not named or dismissed"):
        naming.undo(house, "isotonitazine", now)
    assert file.read_bytes() == before
