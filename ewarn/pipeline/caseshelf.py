"""Every case as it stands, kept ready: only versions that came since are read.

In: a house. Out: open and closed cases in the order of the pages, which of them hold a signal, and their JSON. What was
written is in the next copy, and whoever asks then reads it. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import Any

from ewarn import review as review_room
from ewarn.pipeline import held
from ewarn.pipeline.house import House
from ewarn.store import cases
from ewarn.terms import CaseFile

_NAMED = re.compile(r'"id":"([^"]*)"')
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class _Kept:
    case: CaseFile
    version: int
    names: frozenset[str]


@dataclass(frozen=True)
class Cases:
    """Open ones by urgency, closed ones the last closed first. `mark` changes whenever any of them does."""

    open: tuple[CaseFile, ...] = ()
    closed: tuple[CaseFile, ...] = ()
    mark: Hashable = None
    naming: dict[str, list[str]] = field(default_factory=dict)
    of_ref: dict[str, CaseFile] = field(default_factory=dict)

    @cached_property
    def holding(self) -> dict[str, list[str]]:
        """Signal -> the open cases that it was joined to, in their order."""
        found: dict[str, list[str]] = {}
        for case in self.open:
            for joined in case.signals:
                if not joined.suggested:
                    found.setdefault(joined.signal.id, []).append(case.ref)
        return found

    @cached_property
    def signals(self) -> frozenset[str]:
        """The signals in any open case, joined or suggested."""
        return frozenset(joined.signal.id for case in self.open for joined in case.signals)

    def with_signal(self, signal_id: str) -> list[dict[str, Any]]:
        """The cases, open or closed, that hold a signal: ref, status, title, closed_as."""
        found = [self.of_ref[ref] for ref in sorted(self.naming.get(signal_id, ()), reverse=True)]
        return [
            {"ref": case.ref, "status": case.status, "title": case.title,
             "closed_as": case.closed_as.value if case.closed_as else ""}
            for case in found
        ]  # fmt: skip


class _Shelf:
    def __init__(self) -> None:
        self.number, self.read, self.last = -1, 0, ("", 0)
        self.kept: dict[str, _Kept] = {}
        self.cases = Cases()
        self.said: dict[str, tuple[int, str]] = {}
        self.reading = Lock()

    def current(self, house: House) -> Cases:
        number = house.db.number()
        if self.number != number:
            with self.reading:
                if self.number != number:
                    with house.db.read() as con:
                        self._read_on(con)
                    self.number = number
        return self.cases

    def _read_on(self, con: Any) -> None:
        if self.read and cases.at(con, self.read - 1) != self.last:  # another database took its place
            self.read, self.kept, self.cases = 0, {}, Cases()
        came = cases.added(con, self.read)
        if not came:
            return
        for ref, version, body in came:
            before = self.kept.get(ref)
            if before is None or before.version < version:
                case = CaseFile.model_validate_json(body)
                self.kept[ref] = _Kept(case, version, frozenset(_NAMED.findall(body)))
        self.read, self.last = self.read + len(came), came[-1][:2]
        self.cases = _arranged(self.kept, (self.read, self.last))


def _arranged(kept: dict[str, _Kept], mark: Hashable) -> Cases:
    naming: dict[str, list[str]] = {}
    for ref, one in kept.items():
        for name in one.names:
            naming.setdefault(name, []).append(ref)
    every = sorted((one.case for one in kept.values()), key=lambda case: (case.due_at, case.ref))
    closed = sorted((c for c in every if c.status == "closed"), key=lambda c: c.closed_at or _LONG_AGO, reverse=True)
    opened = tuple(review_room.cases_by_urgency(every))
    return Cases(opened, tuple(closed), mark, naming, {case.ref: case for case in every})


_SHELVES = held.ForEachHome(_Shelf)


def of(house: House) -> Cases:
    """The cases as they stand in the newest copy."""
    return _SHELVES.of(house).current(house)


def as_json(house: House, some: tuple[CaseFile, ...]) -> bytes:
    """A JSON list of cases; each is written once for each of its versions, and the list while it holds the same."""
    _, said = held.while_same(
        house,
        "cases as JSON",
        tuple(map(id, some)),
        lambda: (some, _written(house, some)),
        some[0].status if some else "",
    )
    return said


def _written(house: House, some: tuple[CaseFile, ...]) -> bytes:
    shelf = _SHELVES.of(house)
    found = []
    for case in some:
        kept = shelf.kept.get(case.ref)
        said = shelf.said.get(case.ref)
        if kept is None or kept.case is not case:
            found.append(case.model_dump_json())
        elif said is not None and said[0] == kept.version:
            found.append(said[1])
        else:
            found.append(case.model_dump_json())
            shelf.said[case.ref] = (kept.version, found[-1])
    return f"[{','.join(found)}]".encode()
