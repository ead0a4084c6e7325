"""Returned mail becomes knowledge about deliveries: bounced for good, late, delivered; the daily test message is back.

In: a house, files of messages (a file, a folder of .eml, a Maildir) or a mailbox at a server, `now`. Out: a report;
every message counts once. A permanent one marks its delivery, is told to the operator and flags the recipient. It must
never take a message for an answer, nor delete what it was only asked to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ewarn.dispatch import mailbox, returned
from ewarn.errors import Refused, UnusableInput, UsageFault
from ewarn.pipeline import canary
from ewarn.pipeline.house import House
from ewarn.store import bounces, operator_notices, outbox
from ewarn.store import files as store_files
from ewarn.terms import Frozen

DROP = "bounces"
TOPIC = "bounced"
MAILBOX = "mailbox of returns"
ASKED = ".mailbox-asked"
EVERY = timedelta(minutes=5)
BATCH = 50


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
    files = list(_files(path))
    report = _read(house, map(_raw, files), now)
    if remove:
        for file in files:
            with suppress(OSError):
                file.unlink()
    return report


def read_mailbox(house: House, now: datetime) -> BouncesReport:
    """Read the mailbox that returns go to, at its server. What is read stays there, marked; a message is marked only
    once it is on record, so that a broken connection loses none. Raises: UsageFault, UnusableInput, Refused.
    """
    settings = house.settings
    if not settings.bounces_mailbox:
        raise UsageFault("no mailbox is named", where=str(settings.home / "ewarn.toml"), next_step=mailbox.SHAPE)
    reports = []
    with mailbox.opened(settings.bounces_mailbox, settings.secret(settings.bounces_secret), returned.LARGEST) as found:
        for batch in _batches(found.unread()):
            reports.append(_read(house, (raw for _, raw in batch), now))
            for uid, _ in batch:
                found.done(uid)
    counted: dict[str, int] = {}
    for report in reports:
        for kind, count in report.found.items():
            counted[kind] = counted.get(kind, 0) + count
    return BouncesReport(
        found=counted,
        known=sum(report.known for report in reports),
        marked=tuple(one for report in reports for one in report.marked),
        unknown=tuple(one for report in reports for one in report.unknown),
    )


def poll_mailbox(house: House, now: datetime) -> BouncesReport | None:
    """The same by itself, every few minutes where a mailbox is named; a fault is told to the operator until it ends."""
    last = house.settings.home / DROP / ASKED
    if not house.settings.bounces_mailbox or not _due(last, now):
        return None
    store_files.make_folder(last.parent)
    store_files.write_whole(last, now.isoformat().encode())
    try:
        report = read_mailbox(house, now)
    except (UsageFault, UnusableInput, Refused) as fault:
        with house.db.write("bounces") as tx:
            operator_notices.put(tx, now, MAILBOX, f"Returned mail is not read: {fault.what}", MAILBOX)
        return None
    with house.db.read() as con:
        told = any(row["source"] == MAILBOX for row in operator_notices.open(con).iter_rows(named=True))
    if told:
        with house.db.write("bounces") as tx:
            operator_notices.close(tx, now, "ewarn", source=MAILBOX)
    return report


def _due(last: Path, now: datetime) -> bool:
    try:
        return not timedelta(0) <= now - datetime.fromisoformat(last.read_text()) < EVERY
    except (OSError, ValueError):
        return True


def _batches(found: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    while batch := list(islice(found, BATCH)):
        yield batch


def _read(house: House, messages: Iterable[bytes], now: datetime) -> BouncesReport:
    """Enter what messages say, each once, in one transaction."""
    counted: dict[str, int] = {}
    known, marked, unknown = 0, [], []
    with house.db.write("bounces") as tx:
        for raw in messages:
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
