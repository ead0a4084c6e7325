"""What lies in a dropped file: itself, or the tables of a .gz, a .zip or an .xlsx, told by its first bytes.

In: the bytes as received, or the file they lie in, and caps. Out: the names of its members, and each member opened as
CSV bytes or a temporary file. Must never inflate beyond a cap, follow a name out of the archive, or pass over a member
without a word: one that cannot be read is refused by itself, and the others stand.
"""

from __future__ import annotations

import gzip
import re
import stat
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import EwarnError, UnusableInput, UsageFault
from ewarn.intake import workbook
from ewarn.intake.archive import (
    ADVICE,
    DAMAGE,
    GZIP,
    NUMBERED,
    ZIP,
    Caps,
    Contents,
    Member,
    damaged,
    head_of,
    inflated,
    is_workbook,
    refuse_foreign,
    refuse_nested,
    shown,
    size_of,
    stream_of,
    too_large,
    within,
    zip_of,
)  # fmt: skip
from ewarn.intake.drift import Look
from ewarn.intake.recognise import recognise
from ewarn.intake.staged import Staged
from ewarn.terms import digest

_LEFT_OUT = (".ds_store", "thumbs.db", "desktop.ini")


def contents(source: bytes | Path, caps: Caps = Caps()) -> Contents:
    """What a file holds. Raises: UnusableInput for an archive that is damaged, too large or of a kind not read."""
    head = head_of(source)
    refuse_foreign(head)
    if not head.startswith(ZIP):
        return Contents(("",))
    within(source, caps)
    with zip_of(source) as archive:
        if is_workbook(archive):
            return workbook.sheets(source, caps, "")
        return _files(archive, caps)


@contextmanager
def opened(source: bytes | Path, name: str = "", caps: Caps = Caps(), known: Collection[str] = ()) -> Iterator[Member]:
    """One member of a file. `known` headers help to find a sheet's header below its title.

    Raises: UnusableInput where it cannot be read whole. A temporary file is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="ewarn-") as scratch:
        given = _given(source, name, caps)
        try:
            member = _open(source, given, caps, frozenset(known), Path(scratch))
        except UnusableInput as error:
            if given == name:
                raise
            raise UnusableInput(error.what.replace(given, name), where=name, next_step=error.next_step) from None
        yield member if given == name else replace(member, name=name)


def _given(source: bytes | Path, name: str, caps: Caps) -> str:
    """The name in the archive of what is called 'table 2' where names are withheld."""
    if not (number := NUMBERED.fullmatch(name)):
        return name
    names = contents(source, caps).members
    return names[int(number[1]) - 1] if 0 < int(number[1]) <= len(names) else name


def unpack(source: bytes | Path, caps: Caps = Caps()) -> list[tuple[str, bytes | UnusableInput]]:
    """Every member with its bytes, or with the reason why it cannot be read."""
    found: list[tuple[str, bytes | UnusableInput]] = []
    for name in contents(source, caps).members:
        try:
            with opened(source, name, caps) as member:
                found.append((name, member.body if isinstance(member.body, bytes) else member.body.read_bytes()))
        except UnusableInput as error:
            found.append((name, error))
    return found


def recognised(body: bytes | Path, definitions: Sequence[DropDefinition]) -> DropDefinition:
    """The source of a file by the first of its tables that is one. Raises: as `recognise`, of its first table."""
    first: EwarnError | None = None
    for name in contents(body).members:
        try:
            with opened(body, name) as member:
                return recognise(member.body, definitions)
        except (UnusableInput, UsageFault) as error:
            first = first or error
    raise first or UnusableInput("the file holds no table", next_step="Name the source with --source.")


def placed(staged: Staged, member: Member, seen: Look, definition: DropDefinition) -> Staged:
    """A staging as one of the whole file: its positions name the member and, for a sheet, its row; the definition is
    the source's own, and what was seen of the table is told too."""
    remarks = (*member.remarks, *seen.remarks, *staged.remarks)
    own = digest(definition.model_dump(mode="json"))
    staged = replace(staged, remarks=remarks, profile=seen.profile, definition_hash=own, drifted=seen.remarks)
    if not member.name:
        return staged
    notes, drifted = (tuple(f"{member.name}: {one}" for one in said) for said in (staged.notes, seen.remarks))
    records, rejects = (f.with_columns(position=_positions(f, member)) for f in (staged.records, staged.rejects))
    return replace(staged, records=records, rejects=rejects, remarks=notes, drifted=drifted)


def line_of(position: str, member: Member) -> int | None:
    """The line of a member's text that a position names; None where it names none."""
    found = re.search(r"(\d+)$", position)
    if found is None:
        return None
    number = int(found[1])
    if member.rows is None:
        return number
    return member.rows.index(number) + 1 if number in member.rows else None


def _positions(frame: pl.DataFrame, member: Member) -> pl.Expr:
    if member.rows is None:
        return pl.format("{} {}", pl.lit(member.name), "position")
    lines = frame["position"].str.extract(r"(\d+)$").cast(pl.Int64)
    rows = pl.Series(member.rows, dtype=pl.Int64).gather(lines - 1) if frame.height else lines
    return pl.format("{}!row {}", pl.lit(member.name), pl.lit(rows))


# ---------------------------------------------------------------- one member


def _open(source: bytes | Path, name: str, caps: Caps, known: frozenset[str], scratch: Path) -> Member:
    head = head_of(source)
    refuse_foreign(head)
    if head.startswith(GZIP):
        within(source, caps)
        with stream_of(source) as packed, gzip.GzipFile(fileobj=packed) as plain:
            body = inflated(plain, size_of(source), caps, scratch, name)
        refuse_nested(body)
        return Member("", body)
    if not head.startswith(ZIP):
        return Member("", source)
    if not name:
        name, *others = contents(source, caps).members
        if others:
            raise UnusableInput(
                "the file holds several tables", where=", ".join((name, *others)), next_step="Name one."
            )
    within(source, caps)
    with zip_of(source) as archive:
        if is_workbook(archive):
            return workbook.sheet(source, name, "", caps, known, scratch)
        return _file(archive, name, caps, known, scratch)


def _file(archive: zipfile.ZipFile, name: str, caps: Caps, known: frozenset[str], scratch: Path) -> Member:
    infos, _ = _listed(archive)
    outer, inner = name, ""
    if name not in infos:
        outer, inner = next(((o, name[len(o) + 1 :]) for o in infos if name.startswith(f"{o}/")), (name, ""))
    if outer not in infos:
        raise damaged(f"it holds no '{name}'")
    info = infos[outer]
    _refuse_member(info, outer)
    body = _member_body(archive, info, outer, caps, scratch)
    head = head_of(body)
    if not head.startswith(ZIP):
        refuse_nested(body)
        return Member(outer, body)
    with zip_of(body) as nested:
        if not is_workbook(nested):
            raise UnusableInput("an archive inside an archive is not read", where=outer, next_step=ADVICE)
    if not inner:
        workbook.sheets(body, caps, f"{outer}/")  # says what is wrong with it
    return workbook.sheet(body, inner, f"{outer}/", caps, known, scratch)


def _member_body(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, caps: Caps, scratch: Path) -> bytes | Path:
    try:
        with archive.open(info) as plain:
            return inflated(plain, info.compress_size, caps, scratch, name)
    except DAMAGE as error:
        raise damaged(str(error), name) from error


# ---------------------------------------------------------------- zip archives


def _files(archive: zipfile.ZipFile, caps: Caps) -> Contents:
    infos, left_out = _listed(archive)
    if not infos:
        raise UnusableInput("the archive holds no file", next_step="Drop an archive with a CSV or .xlsx file in it.")
    if len(infos) > caps.members:
        raise too_large(f"holds {len(infos):,} files; {caps.members:,} are read")
    declared = sum(info.file_size for info in infos.values())
    if declared > caps.inflated:
        raise too_large(f"inflates to {declared:,} bytes; {caps.inflated:,} are read")
    names: list[str] = []
    remarks = [f"left out of the archive, as no table: {name}" for name in left_out]
    for name, info in infos.items():
        inner = _workbook_inside(archive, info, name, caps)
        names += [name] if inner is None else inner.members
        remarks += [] if inner is None else inner.remarks
    return Contents(tuple(names), tuple(remarks))


def _workbook_inside(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, caps: Caps) -> Contents | None:
    """The sheets of a workbook that lies in an archive; None for anything else, which says so when it is opened."""
    try:
        _refuse_member(info, name)
        with archive.open(info) as plain:
            if not plain.read(4).startswith(ZIP):
                return None
        with tempfile.TemporaryDirectory(prefix="ewarn-") as scratch:
            body = _member_body(archive, info, name, caps, Path(scratch))
            with zip_of(body) as nested:
                return workbook.sheets(body, caps, f"{name}/") if is_workbook(nested) else None
    except (UnusableInput, *DAMAGE):
        return None


def _listed(archive: zipfile.ZipFile) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """Files by a name of their own that can be shown, and the names of those no person put there."""
    found: dict[str, zipfile.ZipInfo] = {}
    left_out = []
    for info in archive.infolist():
        if info.filename.endswith("/"):
            continue
        name = base = shown(info.filename) or "(no name)"
        if "__MACOSX/" in f"/{name}" or name.rpartition("/")[2].lower() in _LEFT_OUT:
            left_out.append(name)
            continue
        serial = 1
        while name in found:
            serial += 1
            name = f"{base}#{serial}"
        found[name] = info
    return found, left_out


def _refuse_member(info: zipfile.ZipInfo, name: str) -> None:
    steps = info.filename.replace("\\", "/").split("/")
    what = ""
    if info.flag_bits & 0x1:
        what = "the file in the archive is protected by a password"
    elif stat.S_ISLNK(info.external_attr >> 16):
        what = "the file in the archive is a link"
    elif steps[0] == "" or ".." in steps or steps[0].endswith(":"):
        what = "the file in the archive has a name that leads out of it"
    if what:
        raise UnusableInput(what, where=name, next_step="Pack the file itself, without a password, and drop it again.")
