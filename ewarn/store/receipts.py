"""Receipts: one synced line in raw/receipts.jsonl for every arrival, every attempt at one, and every purge.

In: receipts. Out: the lines, oldest or newest first. A line is never changed or taken back, and holds no content: it is
written and synced before anything of it is stored, and it is what a rebuild reads.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from pydantic import Field

from ewarn.settings import Settings
from ewarn.store import audit, files
from ewarn.terms import Frozen

TAIL_BYTES = 65_536


class Receipt(Frozen):
    """One arrival from a source, or the attempt at one."""

    id: str = Field(description="sorts by time")
    kind: str = Field("receipt", description="receipt | replay | not modified | failed | purged")
    source: str
    sha256: str = Field("", description="empty where no bytes came")
    size: int = 0
    received_at: datetime
    validators: dict[str, str] = Field(default_factory=dict, description="ETag and Last-Modified as the server sent")
    backfill: bool = False
    definition_hash: str = ""
    content_hash: str = ""
    file: str = Field("", description="name of the file it came in, or the address")
    member: str = Field("", description="which table of an archive or workbook; empty where the file is one table")
    note: str = Field("", description="why it failed, or why it was purged, in words")
    by: str = Field("", description="purged: by whom")
    rule: str = Field("", description="purged: under which rule")


def all(settings: Settings) -> list[Receipt]:
    """Every receipt, oldest first; a line torn by a crash is left out."""
    found = []
    path = settings.raw / "receipts.jsonl"
    if path.is_file():
        with path.open("rb") as lines:
            found = [receipt for line in lines if (receipt := read(line)) is not None]
    return found


def append(settings: Settings, receipt: Receipt) -> None:
    """Write a receipt's line, synced."""
    line = json.dumps(receipt.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    files.append_line(files.make_folder(settings.raw) / "receipts.jsonl", line.encode())


def read(line: bytes) -> Receipt | None:
    """A line as a receipt; None where a crash tore it."""
    try:
        return Receipt.model_validate_json(line)
    except ValueError:
        return None


def newest_first(settings: Settings) -> Iterator[bytes]:
    """The file's lines from the last to the first, read in blocks from its end."""
    path = settings.raw / "receipts.jsonl"
    if not path.is_file():
        return
    with path.open("rb") as lines:
        end, rest = lines.seek(0, os.SEEK_END), b""
        while end > 0:
            start = max(0, end - TAIL_BYTES)
            lines.seek(start)
            first, *others = (lines.read(end - start) + rest).split(b"\n")
            yield from reversed(others)
            end, rest = start, first
        yield rest


def check_clock(settings: Settings, now: datetime) -> None:
    """Raises: StoreFault when `now` lies before the newest receipt."""
    tail = islice(newest_first(settings), 20)
    newest = max((found.received_at for line in tail if (found := read(line))), default=None)
    audit.check_clock(now, newest, "the newest receipt")


def new_id(now: datetime) -> str:
    """An id that sorts by time."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(5)}"
