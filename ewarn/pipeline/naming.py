"""The naming queue: names no list has, and what a person says of them. Writes the lists' files, never the database.

In: a house, the words as written, what they are. Out: the file that now says so, and how many records read differently.
Every name given is a line of its own with its day, so that a change is one line and can be taken back.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array

from ewarn import catalogue as content_room
from ewarn.errors import UsageFault
from ewarn.matching import Matcher, Suggestion
from ewarn.pipeline import replay
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import NamedReport
from ewarn.store import records
from ewarn.terms import LONDON

_RESULTS = Path("sources") / "substances" / "_results.toml"
_GIVEN = "named", "dismissed"


def naming_queue(house: House) -> list[dict[str, Any]]:
    """One row per name as written that no list has: likely watched classes first, then the most frequent.

    `suggestions` are the likeliest listed names, each with a likeness of 0-100 and a confidence in words.
    """
    with house.db.read() as con:
        queue = records.naming_queue(con).to_dicts()
    matcher, watched = _matcher(house), house.catalogue.is_watched
    for row in queue:
        row["suggestions"] = [_offer(one) for one in matcher.suggest(row["as_written"])]

    def unwatched(row: dict[str, Any]) -> bool:
        nearest = row["suggestions"][0] if row["suggestions"] else None
        near = nearest and nearest["confidence"] != "weak" and watched(nearest["substance"])
        return not (near or (row["suggested_class"] and watched(row["suggested_class"])))

    return sorted(queue, key=unwatched)


def suggest(house: House, as_written: str, most: int = 5) -> list[dict[str, Any]]:
    """The listed names most like a written one. An offer to a person, never a resolution."""
    return [_offer(one) for one in _matcher(house).suggest(_words(as_written), most)]


def name(house: House, as_written: str, subject: str, now: datetime) -> NamedReport:
    """Make a written name a synonym of a substance, or a word for a class; a read-only content folder is overlaid.

    The snapshots that hold the name are read again: their records become new versions. Raises: UsageFault.
    """
    words = _words(as_written)
    class_id = house.catalogue.class_of.get(subject) or (subject if subject in house.catalogue.classes else None)
    if class_id is None:
        offers = ", ".join(one["substance"] for one in suggest(house, words, 3))
        raise UsageFault(
            f"there is no substance or class '{subject}'",
            where="sources/substances",
            next_step="Use a known id, or add the substance to its class's file."
            + (f" Most like the name: {offers}." if offers else ""),
        )

    def add(document: tomlkit.TOMLDocument) -> None:
        if subject == class_id:
            _append(document, "class_names", words, "named", now)
        else:
            entry = next(row for row in document["substances"] if row["id"] == subject)
            _append(entry, "synonyms", words, "named", now)

    return _changed(house, Path("sources") / "substances" / f"{class_id}.toml", add, words, subject, now)


def dismiss(house: House, as_written: str, now: datetime) -> NamedReport:
    """Say that the words name no substance: they wait no longer, and read as the status that says so.

    Raises: UsageFault where the content has no such status, or where a list has the words.
    """
    words = _words(as_written)
    statuses = house.catalogue.statuses.values()
    status = next((s.id for s in statuses if s.stands_for == "nothing named"), None)
    if status is None:
        raise UsageFault(
            "the content has no status for words that name nothing",
            where=_RESULTS.as_posix(),
            next_step='Give one of its statuses stands_for = "nothing named".',
        )

    def add(document: tomlkit.TOMLDocument) -> None:
        entry = next(row for row in document["status"] if row["id"] == status)
        _append(entry, "phrases", words, "dismissed", now)

    return _changed(house, _RESULTS, add, words, status, now)


def undo(house: House, as_written: str, now: datetime) -> NamedReport:
    """Take back what `name` or `dismiss` wrote for these words. Raises: UsageFault where neither did."""
    words = _words(as_written)
    line = re.compile(rf"^\s*{re.escape(_quoted(words))},? *# (?:{'|'.join(_GIVEN)}) .*\n", re.M | re.I)
    for path, body in house.catalogue.files.items():
        relative = Path(path)
        if relative.parent != _RESULTS.parent or not line.search(body.decode()):
            continue
        target = writable(house, relative)
        write_checked(house, target, line.sub("", body.decode(), count=1))
        return _report(house, words, "", target, now)
    raise UsageFault(
        f"'{words}' was not named or dismissed from the queue",
        where=_RESULTS.parent.as_posix(),
        next_step="Lines written from the queue end in '# named' or '# dismissed' and a day; edit others in the file.",
    )


def _changed(
    house: House, relative: Path, add: Callable[[tomlkit.TOMLDocument], None], words: str, subject: str, now: datetime
) -> NamedReport:
    target = writable(house, relative)
    document = tomlkit.parse(house.catalogue.files[relative.as_posix()].decode())
    add(document)
    write_checked(house, target, tomlkit.dumps(document))
    return _report(house, words, subject, target, now)


def _append(entry: Any, key: str, words: str, act: str, now: datetime) -> None:
    """The words on a line of their own, with the day; everything else in the file stays as it is."""
    if key not in entry:
        entry[key] = tomlkit.array()
    listed: Array = entry[key]
    if words.casefold() not in (str(one).casefold() for one in listed):
        listed.add_line(words, comment=f"{act} {now.astimezone(LONDON).date().isoformat()}")


def _report(house: House, words: str, subject: str, target: Path, now: datetime) -> NamedReport:
    changed = _read_again(house, words, now)
    return NamedReport(as_written=words, substance=subject, file=str(target), named_at=now, changed=changed)


def _read_again(house: House, words: str, now: datetime) -> int:
    """Records whose reading changed now that the lists say something else."""
    settings = house.settings
    told = House(settings, content_room.load(settings.content, settings.overlay), house.db)
    with house.db.read() as con:
        waiting = records.with_name(con, words)
    return sum(report.changed for report in replay.reread(told, now, waiting).sources)


def _matcher(house: House) -> Matcher:
    return Matcher(house.catalogue.classes.values(), house.catalogue.statuses.values())


def _offer(one: Suggestion) -> dict[str, Any]:
    return {
        "substance": one.subject, "class": one.class_id, "name": one.name, "likeness": one.score,
        "confidence": one.confidence,
    }  # fmt: skip


def _words(as_written: str) -> str:
    words = " ".join(as_written.split())
    if not words:
        raise UsageFault("the name is empty", next_step="Give the name as the source wrote it.")
    return words


def _quoted(words: str) -> str:
    """The words as tomlkit writes them."""
    written = tomlkit.item(words).as_string()
    return written if written.startswith('"') else json.dumps(words, ensure_ascii=False)


def writable(house: House, relative: Path) -> Path:
    """Where a definition may be written: the content, or the home's overlay where the content is read-only."""
    overlay, content = house.settings.overlay / relative, house.settings.content / relative
    if not overlay.is_file() and os.access(content, os.W_OK) and os.access(content.parent, os.W_OK):
        return content
    return overlay


def write_checked(house: House, target: Path, text: str) -> None:
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
