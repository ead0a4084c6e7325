"""The copies that this process read last, left open: the next reader of the same copy begins at once.

In: a published copy that is open. Out: nothing; DuckDB opens a file that is open in the process already a hundred
times sooner (0.2 ms for 20 ms). Only small homes are kept: a large one would hold on to the memory it was read with.
A copy that was replaced is let go of at the next read, and a file that took another's place is never mistaken for it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ewarn.store.tables import Connection

HOMES = 2
SMALL = 16 * 2**20


@dataclass(frozen=True)
class _Kept:
    path: Path
    state: tuple[int, int, int]
    con: Connection


_kept: OrderedDict[Path, _Kept] = OrderedDict()  # folder of copies -> the one of them that is open
_changing = threading.Lock()


def let_go_of_others(path: Path) -> None:
    """Before `path` is opened: close what is kept of its folder, unless it is this very file."""
    with _changing:
        kept = _kept.get(path.parent)
        if kept and (kept.path != path or kept.state != _state(path)):
            _kept.pop(path.parent).con.close()


def keep(path: Path, another: Callable[[], Connection]) -> None:
    """Leave the copy open with a connection of its own. Nothing to do for one that is kept, or that is large."""
    state = _state(path)
    if state is None or state[2] > SMALL:
        return
    with _changing:
        if path.parent in _kept:
            _kept.move_to_end(path.parent)
            return
        _kept[path.parent] = _Kept(path, state, another())
        while len(_kept) > HOMES:
            _kept.popitem(last=False)[1].con.close()


def let_go() -> None:
    """Close whatever is kept: for a process that is done with a home, whose disk may then be taken away."""
    with _changing:
        while _kept:
            _kept.popitem()[1].con.close()


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
