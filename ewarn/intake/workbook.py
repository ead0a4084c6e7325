"""The sheets of a workbook (.xlsx): each is a table of its own, read by a process of its own with limits.

In: the bytes, or the file they lie in. Out: the sheets' names, and each as CSV text with the sheet's row of every line.
Must never open a workbook whose parts have not been inflated under a cap first.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ewarn.errors import UnusableInput
from ewarn.intake.archive import (
    ADVICE,
    DAMAGE,
    IN_MEMORY,
    PIECE,
    Caps,
    Contents,
    Member,
    damaged,
    shown,
    stream_of,
    too_large,
    zip_of,
)  # fmt: skip
from ewarn.intake.titles import folded

_CHILD = Path(__file__).with_name("sheetchild.py")
_PATIENCE_SECONDS = 300


def sheets(source: bytes | Path, caps: Caps, before: str) -> Contents:
    _whole_workbook(source, caps)
    answer = _child(source, "list")
    names, remarks = [], []
    for number, one in enumerate(answer["sheets"], 1):
        name = f"{before}{shown(one['name']) or number}"
        if one["chart"]:
            remarks.append(f"the sheet '{name}' holds a chart or dialog and no cells: not read")
        elif not one["empty"]:
            names.append(name)
            if one["hidden"]:
                remarks.append(f"the sheet '{name}' is hidden: it is read like the others")
    if not names:
        raise UnusableInput("no sheet of the workbook holds a cell", next_step="Drop a workbook with a table in it.")
    return Contents(tuple(names), tuple(remarks))


def sheet(source: bytes | Path, name: str, before: str, caps: Caps, known: frozenset[str], scratch: Path) -> Member:
    _whole_workbook(source, caps)
    answer = _child(source, "list")
    wanted = name.removeprefix(before)
    index = next((i for i, s in enumerate(answer["sheets"]) if (shown(s["name"]) or str(i + 1)) == wanted), None)
    if index is None:
        raise damaged(f"it holds no sheet '{wanted}'")
    table = scratch / "sheet.csv"
    told = _child(source, "read", str(index), str(table), json.dumps([folded(header) for header in known]))
    table.chmod(0o600)
    body: bytes | Path = table.read_bytes() if table.stat().st_size <= IN_MEMORY else table
    return Member(f"{before}{wanted}", body, tuple(told["notes"]), _row_of_line(body, told["rows"]))


def _row_of_line(body: bytes | Path, rows: list[int]) -> tuple[int, ...]:
    """The sheet's row of every physical line: a cell may hold line ends."""
    found: list[int] = []
    with stream_of(body) as stream:
        number, marks = 0, 0
        for line in stream:
            found.append(rows[number])
            marks += line.count(b'"')
            number += marks % 2 == 0
    return tuple(found)


def _whole_workbook(source: bytes | Path, caps: Caps) -> None:
    """Inflate every part once, up to the cap: what the directory promises is not believed."""
    total = 0
    with zip_of(source) as archive:
        for info in archive.infolist():
            if info.flag_bits & 0x1:
                raise UnusableInput("the workbook is protected by a password", next_step=ADVICE)
            try:
                with archive.open(info) as part:
                    while piece := part.read(PIECE):
                        total += len(piece)
                        if total > caps.workbook:
                            raise too_large(f"inflates to more than {caps.workbook:,} bytes")
            except DAMAGE as error:
                raise damaged(str(error)) from error


def _child(source: bytes | Path, *words: str) -> dict[str, Any]:
    try:
        with stream_of(source) as stream:
            given: dict[str, Any] = {"input": source} if isinstance(source, bytes) else {"stdin": stream}
            done = subprocess.run(
                [sys.executable, "-I", str(_CHILD), *words],
                capture_output=True, timeout=_PATIENCE_SECONDS, check=False, **given,
            )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise too_large("takes too long to read") from error
    if done.returncode in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise OSError(done.returncode, os.strerror(done.returncode))
    if done.returncode:
        raise too_large("needs more memory or time than a workbook may")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "refused" in answer:
        raise UnusableInput(
            str(answer["refused"]), next_step="Correct the sheet, or save it as CSV, and drop it again."
        )
    return answer
