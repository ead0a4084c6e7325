"""What changed in the shape of a source's files: columns renamed, missing, new or moved, dates, units, words, blanks.

In: one table as it came, its definition, and the profile of the table before it. Out: `Look`: the definition to read it
with (certain renamings mapped, date orders settled), remarks for the operator, and the table's own profile. A profile
holds headers, counts and shapes, never a cell. Must never map a column on likeness: that is said, for a person to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from rapidfuzz import fuzz

from ewarn.catalogue.definitions import DropDefinition
from ewarn.errors import UnusableInput
from ewarn.intake.csvfile import PART_BYTES, Csv
from ewarn.intake.dateorder import DATES, Watch
from ewarn.intake.normalise import it_has
from ewarn.intake.tables import headers_of
from ewarn.intake.titles import folded

_NUMBERS = ("concentration", "value", "denominator", "persons")
_SAMPLE_ROWS, _SAMPLE_BYTES = 50_000, 6_000_000
_ENOUGH = 20
_ALIKE = 70.0
_MAGNITUDE = 50.0
_ISO = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
_CLOCKS = ("%H:%M:%S", "%Y-%m-%d %H:%M:%S")
Profile = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """definition: the source's own, with what this one table needs; reading with it changes no other table. watch: what
    has to see the dates of every part yet, and be settled; None where they are."""

    definition: DropDefinition
    remarks: tuple[str, ...]
    profile: dict[str, Any]
    watch: Watch | None = None

    def settled(self) -> Look:
        """The same once every part was watched. Raises: UnusableInput where dates go both ways."""
        if self.watch is None:
            return self
        definition, orders, more = self.watch.settle()
        return Look(definition, (*self.remarks, *more), self.profile | {"orders": orders})


def look(
    definition: DropDefinition,
    file: Csv,
    before: Profile | None = None,
    *,
    sheet: bool = False,
    defer: bool = False,
) -> Look:
    """Hold a table against its definition and the table before it. `sheet`: it comes from a workbook.

    With `defer` a large table's dates are left for a pass that reads it anyway: `Look.watch` is to be given every part,
    then settled before anything lands. Raises: UnusableInput where a needed column is missing (naming its likely new
    header), or dates go both ways.
    """
    sample = next(file.parts(size=_SAMPLE_BYTES), None)
    frame = sample.frame.head(_SAMPLE_ROWS) if sample else pl.DataFrame()
    shapes = {header: _shape(frame[header]) for header in file.header if header in frame.columns}
    fitted = _fitted(definition, file.header)
    fields = _fields(fitted, file.header)
    remarks = _missing(fitted, file.header, fields, shapes, before)
    watch = Watch(_iso_too(fitted) if sheet else fitted, fields, (before or {}).get("orders", {}))
    profile = {
        "header": list(file.header),
        "delimiter": "" if sheet else file.delimiter,
        "encoding": "workbook" if sheet else _encoding(file.notes),
        "rows": frame.height,
        "orders": {},
        "fields": fields,
        "columns": shapes,
        "units": _units(frame, fields),
        "foreign": _foreign(frame, fitted, fields),
    }
    remarks += _changes(profile, before) if before else []
    if defer and file.text.size > PART_BYTES and not watch.decides:
        return Look(watch.definition, tuple(remarks), profile, watch)
    for part in file.parts(columns=watch.columns) if watch.columns else ():
        watch.add(part.frame)
    fitted, profile["orders"], more = watch.settle()
    return Look(fitted, (*remarks, *more), profile)


# ---------------------------------------------------------------- headers


def _fitted(definition: DropDefinition, header: Sequence[str]) -> DropDefinition:
    """Headers that differ from a known one in hyphens, points or the like alone are that one."""
    present = {folded(name) for name in header}
    known = {folded(name) for name in headers_of(definition)}
    spare: dict[str, list[str]] = {}
    for name in header:
        if folded(name) not in known:
            spare.setdefault(_squashed(name), []).append(name)
    columns, keys = dict(definition.columns), dict(definition.key_other_names)
    for field, column in definition.columns.items():
        names = [n for n in (column.column, *column.other_names) if n]
        if names and not any(folded(n) in present for n in names):
            found = next((spare[_squashed(n)] for n in names if _squashed(n) in spare), [])
            if len(found) == 1:
                columns[field] = column.model_copy(update={"other_names": (*column.other_names, found[0])})
    for name in (*definition.key, *definition.key_where_given):
        others = definition.key_other_names.get(name, ())
        if not any(folded(n) in present for n in (name, *others)):
            found = next((spare[_squashed(n)] for n in (name, *others) if _squashed(n) in spare), [])
            if len(found) == 1:
                keys[name] = (*others, found[0])
    return definition.model_copy(update={"columns": columns, "key_other_names": keys})


def _squashed(name: str) -> str:
    """A header's letters and digits alone; itself where it has none."""
    return re.sub(r"[\W_]+", "", name.casefold()) or name


def _fields(definition: DropDefinition, header: Sequence[str]) -> dict[str, str]:
    """Our field -> the table's header, and key column -> header under its own name."""
    present = {folded(name): name for name in header}
    found: dict[str, str] = {}
    for field, names in _wanted(definition).items():
        if match := next((present[folded(n)] for n in names if folded(n) in present), None):
            found[field] = match
    return found


def _wanted(definition: DropDefinition) -> dict[str, list[str]]:
    """Our field, or 'key <name>' -> the headers that can be it."""
    columns = {f: [n for n in (c.column, *c.other_names) if n] for f, c in definition.columns.items() if c.column}
    mapped = {folded(names[0]) for names in columns.values()}
    keys = {
        f"key {name}": [name, *definition.key_other_names.get(name, ())]
        for name in definition.key
        if folded(name) not in mapped
    }
    return columns | keys


def _needed(definition: DropDefinition, field: str) -> bool:
    column = definition.columns.get(field)
    keyed = column is not None and folded(column.column or "") in {folded(name) for name in definition.key}
    return field.startswith("key ") or field == "reference_date" or keyed or bool(column and column.required)


def _missing(
    definition: DropDefinition,
    header: Sequence[str],
    fields: Mapping[str, str],
    shapes: Mapping[str, dict[str, Any]],
    before: Profile | None,
) -> list[str]:
    """Remarks on columns that are not there any more. Raises: UnusableInput for those that are needed."""
    known = {folded(name) for name in headers_of(definition)}
    fresh = [name for name in header if folded(name) not in known and folded(name) not in map(folded, fields.values())]
    refused, remarks = [], []
    for field, names in _wanted(definition).items():
        if field in fields:
            continue
        likely = _likely(field, names, fresh, shapes, before)
        if _needed(definition, field):
            told = likely and not definition.personal  # where no header is, the first line may be people
            refused.append(f"'{names[0]}'" + (f" (perhaps '{likely}' now)" if told else ""))
        elif likely or field in (before or {}).get("fields", {}):
            perhaps = f"; '{likely}' may be its new name: if so, add it to other_names" if likely else ""
            remarks.append(f"the column '{names[0]}' is missing{perhaps}")
    if refused:
        raise UnusableInput(
            f"the file has no column {', '.join(refused)}", where=definition.id,
            next_step=f"{it_has(definition, header)} Correct the file, or add the new name to other_names.",
        )  # fmt: skip
    return remarks


def _likely(
    field: str,
    names: Sequence[str],
    fresh: Sequence[str],
    shapes: Mapping[str, dict[str, Any]],
    before: Profile | None,
) -> str:
    """The new header that is most like a missing one, by its name, or by its cells where the name says nothing."""
    was = (before or {}).get("columns", {}).get((before or {}).get("fields", {}).get(field, ""))
    scored = []
    for name in fresh:
        spelt = max(_spelt(_spaced(one), _spaced(name)) for one in names)
        looks = _likeness(was, shapes[name]) if was and name in shapes else 0.0
        if field in DATES and name in shapes and shapes[name]["date"] < 0.5 and shapes[name]["blank"] < 1:
            continue
        scored.append((max(spelt, looks * 100 if looks > 0.9 else 0.0), spelt, name))
    best = max(scored, default=(0.0, 0.0, ""))
    return best[2] if best[0] >= _ALIKE else ""


def _spelt(one: str, other: str) -> float:
    """Likeness of two headers, 0 to 100; one whose words all stand in the other is like it."""
    return float(max(fuzz.token_sort_ratio(one, other), 0.9 * fuzz.token_set_ratio(one, other)))


def _spaced(name: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", name.casefold()).split())


def _likeness(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """1 where two columns' cells look the same."""
    if one["blank"] == 1 or other["blank"] == 1:
        return 0.0
    apart = sum(abs(one[part] - other[part]) for part in ("date", "number", "distinct", "blank"))
    longer, shorter = max(one["length"], other["length"]), min(one["length"], other["length"])
    return float(max(0.0, 1 - apart / 2) * (shorter / longer if longer else 0.0))


# ---------------------------------------------------------------- dates


def _iso_too(definition: DropDefinition) -> DropDefinition:
    """A workbook's own dates come as ISO, however the source's text files write them."""
    columns = {
        field: column.model_copy(update={"formats": (*column.formats, *(_ISO if field in DATES else _CLOCKS))})
        if column.formats and field in (*DATES, "reference_time")
        else column
        for field, column in definition.columns.items()
    }
    formats = tuple(dict.fromkeys((*definition.date_formats, *_ISO)))
    return definition.model_copy(update={"columns": columns, "date_formats": formats})


# ---------------------------------------------------------------- cells


def _shape(cells: pl.Series) -> dict[str, Any]:
    """Shares of a column's cells: blank, date-like, numbers, distinct; their length; the middle number."""
    text = cells.str.strip_chars()
    given = text.filter(text != "")
    if not given.len():
        return {"blank": 1.0, "date": 0.0, "number": 0.0, "distinct": 0.0, "length": 0.0, "middle": None}
    numbers = given.str.replace_all(",", "").cast(pl.Float64, strict=False).drop_nulls()
    dates = given.str.contains(r"^\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}([ T]\d|$)").sum()
    middle = numbers.abs().median() if numbers.len() else None
    return {
        "blank": round(1 - given.len() / cells.len(), 4),
        "date": round(int(dates) / given.len(), 4),
        "number": round(numbers.len() / given.len(), 4),
        "distinct": round(given.n_unique() / given.len(), 4),
        "length": round(float(given.str.len_chars().mean() or 0), 2),  # type: ignore[arg-type]
        "middle": middle,
    }


def _units(frame: pl.DataFrame, fields: Mapping[str, str]) -> list[str]:
    """The units in use, as written: words of a fixed kind, not of persons."""
    if "unit" not in fields or fields["unit"] not in frame.columns:
        return []
    cells = frame[fields["unit"]].str.strip_chars()
    found = cells.filter((cells != "") & (cells.str.len_chars() <= 20)).unique().sort().to_list()
    return found[:20] if len(found) <= 20 else []


def _foreign(frame: pl.DataFrame, definition: DropDefinition, fields: Mapping[str, str]) -> dict[str, float]:
    """Share of given cells that no `values` table translates nor already is in our words, by field."""
    found = {}
    for field, column in definition.columns.items():
        if not column.values or field not in fields or fields[field] not in frame.columns:
            continue
        cells = frame[fields[field]].str.strip_chars().str.to_lowercase()
        blank = {"", *(word.lower().strip() for word in column.blank)}
        given = cells.filter(~cells.is_in(sorted(blank)))
        ours = {*(w.lower().strip() for w in column.values), *(w.lower() for w in column.values.values())}
        if given.len():
            found[field] = round(1 - int(given.is_in(sorted(ours)).sum()) / given.len(), 4)
    return found


def _encoding(notes: Sequence[str]) -> str:
    return next((note for note in notes if "read as UTF" in note or "read as Windows" in note), "UTF-8")


def _changes(now: Profile, before: Profile) -> list[str]:
    """Remarks on what is not as it was."""
    remarks = []
    for what in ("delimiter", "encoding"):
        if now[what] and before[what] and now[what] != before[what]:
            remarks.append(f"the {what} changed from {before[what]!r} to {now[what]!r}")
    common = [name for name in now["header"] if name in before["header"]]
    if common != [name for name in before["header"] if name in now["header"]]:
        remarks.append("the columns stand in another order than before: they are found by their names")
    if now["units"] and before["units"] and (new := [u for u in now["units"] if u not in before["units"]]):
        remarks.append(f"units not seen before: {', '.join(new)}; before: {', '.join(before['units'])}")
    if min(now["rows"], before["rows"]) < _ENOUGH:
        return remarks
    for field, header in now["fields"].items():
        is_now = now["columns"].get(header)
        was = before["columns"].get(before["fields"].get(field, ""))
        if is_now and was:
            remarks += _column(field, header, is_now, was)
    for field, share in now["foreign"].items():
        if share > 0.5 and before["foreign"].get(field, 0.0) < 0.2:
            remarks.append(f"most words in '{now['fields'][field]}' are new: {share:.0%} of them stand in no list")
    return remarks


def _column(field: str, header: str, now: Mapping[str, Any], was: Mapping[str, Any]) -> list[str]:
    remarks = []
    if now["blank"] > 0.5 and was["blank"] < 0.2:
        remarks.append(f"'{header}' is blank in {now['blank']:.0%} of the rows; before in {was['blank']:.0%}")
    if field in _NUMBERS and now["middle"] and was["middle"]:
        times = now["middle"] / was["middle"]
        if times >= _MAGNITUDE or times <= 1 / _MAGNITUDE:
            remarks.append(
                f"the numbers in '{header}' are about {max(times, 1 / times):,.0f} times "
                f"{'larger' if times > 1 else 'smaller'} than before: has the unit changed?"
            )
    return remarks
