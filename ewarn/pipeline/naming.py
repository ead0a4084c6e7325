"""The naming queue: names no list has, and giving one its substance. Writes the synonym file, never the database."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit

from ewarn import catalogue as content_room
from ewarn.errors import UsageFault
from ewarn.pipeline import replay
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import NamedReport
from ewarn.store import records


def naming_queue(house: House) -> list[dict[str, Any]]:
    """One row per name as written that no list has: likely watched classes first, then the most frequent."""
    with house.db.read() as con:
        queue = records.naming_queue(con).to_dicts()
    watched = house.catalogue.is_watched
    return sorted(queue, key=lambda row: (not (row["suggested_class"] and watched(row["suggested_class"])),))


def name(house: House, as_written: str, substance_id: str, now: datetime) -> NamedReport:
    """Make a written name a synonym of a substance, in its class's file; a read-only content folder is overlaid.

    The snapshots that hold the name are read again: their records become new versions. Raises: UsageFault.
    """
    words = " ".join(as_written.split())
    class_id = house.catalogue.class_of.get(substance_id)
    if class_id is None:
        raise UsageFault(
            f"there is no substance '{substance_id}'",
            where="sources/substances",
            next_step="Use a known id, or add the substance to its class's file.",
        )
    if not words:
        raise UsageFault("the name is empty", next_step="Give the name as the source wrote it.")
    relative = Path("sources") / "substances" / f"{class_id}.toml"
    target = _writable(house, relative)
    document = tomlkit.parse(house.catalogue.files[relative.as_posix()].decode())
    entry = next(row for row in document["substances"] if row["id"] == substance_id)
    synonyms = entry.setdefault("synonyms", tomlkit.array())
    if words.casefold() not in (str(s).casefold() for s in synonyms):
        synonyms.append(words)
    _write_checked(house, target, tomlkit.dumps(document))
    return NamedReport(
        as_written=words,
        substance=substance_id,
        file=str(target),
        named_at=now,
        changed=_read_again(house, words, now),
    )


def _read_again(house: House, words: str, now: datetime) -> int:
    """Records whose reading changed now that the name is known."""
    settings = house.settings
    told = House(settings, content_room.load(settings.content, settings.overlay), house.db)
    with house.db.read() as con:
        waiting = records.with_name(con, words)
    return sum(report.changed for report in replay.reread(told, now, waiting).sources)


def _writable(house: House, relative: Path) -> Path:
    overlay, content = house.settings.overlay / relative, house.settings.content / relative
    if not overlay.is_file() and os.access(content, os.W_OK) and os.access(content.parent, os.W_OK):
        return content
    return overlay


def _write_checked(house: House, target: Path, text: str) -> None:
    """Write the file whole, and take it back when the content then has a fault (such as a name claimed twice)."""
    before = target.read_bytes() if target.is_file() else None
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, text.encode())
    faults = content_room.check(house.settings.content, house.settings.overlay)
    if faults:
        if before is None:
            target.unlink()
        else:
            _replace(target, before)
        first = faults[0]
        raise UsageFault(f"not written: {first.problem}", where=f"{first.file}: {first.key}", next_step=first.remedy)


def _replace(target: Path, body: bytes) -> None:
    part = target.with_suffix(".part")
    part.write_bytes(body)
    os.replace(part, target)
