"""Content as bytes: which files make it up, the overlay laid over them, and one hash over all of it.

In: a content folder with sources/ and alerts/, and optionally a home's overlay. Out: relative path -> bytes, and the
faults of the folders themselves. Nothing here understands a definition, and nothing is ever written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ewarn.catalogue.faults import Fault, nearest

FOLDERS = {
    "sources/feeds": ".toml",
    "sources/drops": ".toml",
    "sources/notices": ".toml",
    "sources/substances": ".toml",
    "sources/areas": ".csv",
    "alerts/rules": ".toml",
    "alerts/templates": ".toml",
    "alerts/advice": ".md",
    "alerts/channels": ".toml",
    "alerts/scenarios": ".toml",
}
OPTIONAL = ("sources/notices", "alerts/scenarios")  # content archived before there were any is read again
SINGLE = ("alerts/routes.toml", "alerts/grading.toml")
WORDING = "alerts/wording.toml"  # absent from content archived before there was one
RESULTS = "sources/substances/_results.toml"
NEEDED = ("sources/areas/areas.csv", "sources/areas/neighbours.csv", "sources/areas/outcodes.csv")
TABLES = (*NEEDED, "sources/areas/placenames.csv", "sources/areas/squares.csv")


@dataclass(frozen=True)
class Content:
    """Relative path -> bytes, overlay laid over content; `shown` is how a fault names a file."""

    files: Mapping[str, bytes]
    shown: Mapping[str, str]
    faults: tuple[Fault, ...] = ()
    content_hash: str = field(default="")

    def under(self, folder: str) -> list[str]:
        """Paths of the definitions in one folder, sorted."""
        return [path for path in self.files if path.rpartition("/")[0] == folder and path != RESULTS]

    def name(self, path: str) -> str:
        return self.shown.get(path, path)


def gather(content: Path, overlay: Path | None = None) -> Content:
    """Every file of content and overlay, with the faults of folders: missing, empty, misplaced or holding Python."""
    files, faults = _walk(content, prefix="")
    shown: dict[str, str] = {}
    if overlay is not None and overlay.is_dir():
        laid_over, more = _walk(overlay, prefix=f"{overlay}/")
        shown = {path: f"{overlay}/{path}" for path in laid_over}
        files, faults = files | laid_over, faults + more
    files = dict(sorted(files.items()))
    faults += _missing(files)
    return Content(files=files, shown=shown, faults=tuple(faults), content_hash=hash_of(files))


def hash_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over every relative path and its bytes, in order of path."""
    total = hashlib.sha256()
    for path, body in sorted(files.items()):
        total.update(f"{path}\0{len(body)}\0".encode() + body)
    return total.hexdigest()


def _walk(base: Path, prefix: str) -> tuple[dict[str, bytes], list[Fault]]:
    files: dict[str, bytes] = {}
    faults: list[Fault] = []
    for top in ("sources", "alerts"):
        for found in sorted((base / top).rglob("*")):
            path = found.relative_to(base).as_posix()
            if found.is_dir() or _passed_over(path):
                continue
            fault = _misplaced(path, prefix)
            if fault:
                faults.append(fault)
                continue
            try:
                files[path] = found.read_bytes()
            except OSError as error:
                problem = f"cannot be read: {error.strerror}"
                faults.append(Fault(file=prefix + path, problem=problem, remedy="let this user read the file"))
    return files, faults


def _passed_over(path: str) -> bool:
    """Hidden files, read-me files and what Python leaves beside itself are no definitions."""
    return bool(re.search(r"(^|/)(\.|__pycache__/|readme(\.|$))", path, re.IGNORECASE))


def _misplaced(path: str, prefix: str) -> Fault | None:
    """Why a file has no business where it lies, or None."""
    if re.search(r"\.py[a-z]?$", path):
        remedy = "write a definition instead, and move the code into the package"
        return Fault(file=prefix + path, problem="Python has no place in content", remedy=remedy)
    folder = str(PurePosixPath(path).parent)
    if path in (*SINGLE, WORDING) or path in TABLES:
        return None
    if folder == "sources/areas":
        return Fault(file=prefix + path, problem="not a table of areas", remedy=nearest(path, TABLES))
    if folder not in FOLDERS:
        known = [*FOLDERS, *SINGLE, WORDING] if folder in ("alerts", "sources") else list(FOLDERS)
        remedy = nearest(path if folder in ("alerts", "sources") else folder, known)
        return Fault(file=prefix + path, problem="lies in no known folder", remedy=f"{remedy} as its place")
    if not path.endswith(FOLDERS[folder]):
        return Fault(file=prefix + path, problem="not a definition", remedy=f"write a {FOLDERS[folder]} file")
    if path != RESULTS and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", PurePosixPath(path).stem):
        remedy = "write lower-case letters, digits, hyphens and underscores only"
        return Fault(file=prefix + path, key="file name", problem="cannot be an id", remedy=remedy)
    return None


def _missing(files: Mapping[str, bytes]) -> list[Fault]:
    faults = [
        Fault(file=folder, problem="missing or empty", remedy=f"write at least one <id>{ending} in it")
        for folder, ending in FOLDERS.items()
        if folder not in ("sources/areas", *OPTIONAL) and not any(path.startswith(folder + "/") for path in files)
    ]
    singles = [*SINGLE, *NEEDED, RESULTS]
    return faults + [Fault(file=p, problem="missing", remedy="write this file") for p in singles if p not in files]
