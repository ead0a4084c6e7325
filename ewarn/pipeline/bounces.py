"""Returned mail becomes knowledge about deliveries: bounced for good, late, delivered; the daily test message is back.

In: a house, files of messages (a file, a folder of .eml, a Maildir), `now`. Out: a report; every message counts once. A
permanent one marks its delivery, is told to the operator and flags the recipient. It must never take a message for an
answer, nor delete what it was only asked to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ewarn.dispatch import returned
from ewarn.errors import UsageFault
from ewarn.pipeline import canary
from ewarn.pipeline.house import House
from ewarn.store import bounces, operator_notices, outbox
from ewarn.terms import Frozen

DROP = "bounces"
TOPIC = "bounced"


class BouncesReport(Frozen):
    """How many messages of each kind were new; `known` were read before."""

    found: dict[str, int]
    known: int = 0
    marked: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read(house: House, path: Path, now: datetime, *, remove: bool = False) -> BouncesReport:
    """Read a message, a folder of them or a Maildir. Raises: UsageFault where there is none."""
    if not path.exists():
        raise UsageFault("there is no such file or folder", where=str(path), next_step="Name a .eml, or a folder.")
    counted: dict[str, int] = {}
    known, marked, unknown = 0, [], []
    with house.db.write("bounces") as tx:
        files = list(_files(path))
        for file in files:
            raw = _raw(file)
            name = hashlib.sha256(raw).hexdigest()[:32]
            if bounces.known(tx, name):
                known += 1
                continue
            said = returned.read(raw)
            delivery = _entered(tx, name, said, now)
            counted[said.kind] = counted.get(said.kind, 0) + 1
            if delivery and said.kind == returned.PERMANENT:
                marked.append(delivery)
            if not delivery or said.kind == returned.UNKNOWN:
                unknown.append(f"{name[:8]}: {said.kind}: {said.words}")
    if remove:
        for file in files:
            with suppress(OSError):
                file.unlink()
    house.db.publish()
    return BouncesReport(found=counted, known=known, marked=tuple(marked), unknown=tuple(unknown))


def poll(house: House, now: datetime) -> BouncesReport | None:
    """The home's own folder for returned mail: what was read is removed, as it holds addresses."""
    folder = house.settings.home / DROP
    return read(house, folder, now, remove=True) if folder.is_dir() and any(_files(folder)) else None


def _entered(tx: Any, name: str, said: returned.Returned, now: datetime) -> str:
    """Keep what a message says; the id of the delivery it is about, '' where that is none of ours."""
    wanted = said.delivery or bounces.by_message_id(tx, list(said.message_ids))
    delivery = outbox.load(tx, wanted) if wanted else None
    known, whose = (delivery.id, delivery.destination) if delivery else ("", "")
    bounces.put(tx, name, known, whose, said.kind, said.status, said.words, now)
    if delivery is None:
        return ""
    if said.kind == returned.ARRIVED:
        canary.came_back(tx, delivery.page, "its mailbox", now)
    if said.kind == returned.PERMANENT:
        words = " ".join(f"came back for good {said.status} {said.words}".split())
        bounces.mark(tx, delivery.id, words, now)
        told = f"{whose}: a message {words}. Correct the address: ewarn recipients list."
        operator_notices.put(tx, now, "dispatch", told, f"{TOPIC} {whose}")
    return known


def _files(path: Path) -> Iterator[Path]:
    """The messages under a path: itself, a Maildir's new and cur, or a folder's .eml files."""
    if path.is_file():
        yield path
        return
    folders = [path / "new", path / "cur"] if (path / "cur").is_dir() else [path]
    for folder in folders:
        wanted = "*" if folder is not path else "*.eml"
        yield from sorted(p for p in folder.glob(wanted) if p.is_file() and not p.is_symlink())


def _raw(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(returned.LARGEST + 1)


def flagged(house: House) -> dict[str, str]:
    """Recipients whose mail comes back, with the words."""
    with house.db.read() as con:
        return bounces.flagged(con)
