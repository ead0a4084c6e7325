"""Cells to values: the mapping of a drop's columns onto our fields, as Polars expressions over all rows at once.

In: text columns and a definition. Out: for each field an expression for its value and one for what is wrong with the
cell. Must never turn an unreadable cell into a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ewarn.catalogue.definitions import ColumnMap, DropDefinition
from ewarn.errors import UnusableInput
from ewarn.intake.columns import column_named
from ewarn.intake.titles import folded

_YES = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_PRESUMPTIVE = _YES | {
    "presumptive": True, "screening": True, "strip": True, "field": True, "confirmatory": False, "confirmed": False,
    "laboratory": False,
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field's value, and the words for what is wrong with a cell (null where nothing is).

    `more`: further faults that depend on other columns.
    """

    value: pl.Expr
    fault: pl.Expr | None = None
    more: tuple[pl.Expr, ...] = ()

    @property
    def faults(self) -> tuple[pl.Expr, ...]:
        return self.more if self.fault is None else (self.fault, *self.more)


@dataclass(frozen=True)
class Mapped:
    """A definition laid over one file's headers. `headers`: our field -> the file's header, mapped
    fields only. `key`: key header -> the file's; `joining`: the same for those a file may lack, null where it does."""

    definition: DropDefinition
    headers: Mapping[str, str]
    unknown: tuple[str, ...]
    key: Mapping[str, str]
    joining: Mapping[str, str | None]
    content: tuple[tuple[str, str], ...]

    @cached_property
    def used(self) -> frozenset[str]:
        """The file's headers that anything is made of."""
        keys = (*self.key.values(), *(found for found in self.joining.values() if found))
        return frozenset((*self.headers.values(), *keys, *(found for _, found in self.content)))

    def has(self, field: str) -> bool:
        """The field is mapped to a column the file has, or to a constant."""
        column = self.definition.columns.get(field)
        return column is not None and (column.value is not None or field in self.headers)

    def cell(self, field: str) -> pl.Expr:
        """The cell as text, ends trimmed; the constant where the definition gives one; null where not mapped."""
        column = self.definition.columns.get(field)
        if column is not None and column.value is not None:
            return pl.lit(column.value)
        if field in self.headers:
            return column_named(self.headers[field]).str.strip_chars()
        return pl.lit(None, dtype=pl.String)

    def text(self, field: str) -> pl.Expr:
        """The cell with blanks as null and source values turned into ours."""
        return self.translated(self.cell(field), field)

    def translated(self, cell: pl.Expr, field: str) -> pl.Expr:
        """A cell, or one part of a list cell, with blanks as null and source values turned into ours."""
        column = self.definition.columns.get(field, ColumnMap(value=""))
        lower = cell.str.to_lowercase()
        blank = {"", *(word.lower().strip() for word in column.blank)}
        cell = pl.when(lower.is_in(sorted(blank))).then(None).otherwise(cell)
        if not column.values:
            return cell
        ours = {source.lower().strip(): value for source, value in column.values.items()}
        turned = lower.replace_strict(ours, default=None, return_dtype=pl.String)
        return pl.when(cell.is_not_null()).then(pl.coalesce(turned, cell))

    def named(self, field: str) -> str:
        """The column's name in words for people."""
        return self.headers.get(field, field)

    def fault(self, field: str, wrong: pl.Expr, what: str, then: str) -> pl.Expr:
        """'<what> in <column>: '<cell>'; <what to do>' where `wrong` holds; no cell that could say who somebody is."""
        where, then = _brace(self.named(field)), _brace(then)
        words = pl.format(f"{what} in {where}: '{{}}'; {then}", self.cell(field).fill_null(""))
        if self.definition.personal:
            words = pl.lit(f"{what} in {where}; {then}")
        return pl.when(wrong).then(words).otherwise(None)


def lay(definition: DropDefinition, header: Iterable[str]) -> Mapped:
    """Find the definition's columns among a file's headers, without case and spaces.

    Raises: UnusableInput naming every required, key or reference-date column that is missing.
    """
    present = {folded(name): name for name in header}
    headers: dict[str, str] = {}
    missing: list[str] = []
    for field, column in definition.columns.items():
        names = [name for name in (column.column, *column.other_names) if name]
        found = next((present[folded(name)] for name in names if folded(name) in present), None)
        if found:
            headers[field] = found
        elif names and (column.required or field == "reference_date"):
            missing.append(names[0])
    renamed = {folded(c.column): headers[f] for f, c in definition.columns.items() if c.column and f in headers}
    key, joining = (
        {name: renamed.get(folded(name)) or _key(definition, name, present) for name in names}
        for names in (definition.key, definition.key_where_given)
    )
    missing += [name for name, found in key.items() if found is None and name not in missing]
    if missing:
        raise UnusableInput(
            f"the file has no column {', '.join(repr(name) for name in missing)}",
            where=definition.id,
            next_step=f"{it_has(definition, header)} Correct the file, or add the new name to other_names.",
        )
    documented = {present[folded(n)]: n for n in definition.documented if folded(n) in present}
    ignored = {folded(name) for name in definition.ignored}
    ours = {header: folded(definition.columns[field].column or "") for field, header in headers.items()}
    content = {h: folded(n) for h, n in documented.items() if folded(n) not in ignored} | ours
    content |= {found: folded(name) for name, found in (key | joining).items() if found and found not in content}
    unknown = tuple(
        n for n in present.values() if n not in content and folded(n) not in ignored and n not in documented
    )
    ordered = tuple(sorted((canonical, found) for found, canonical in content.items()))
    whole = {name: found for name, found in key.items() if found}
    return Mapped(definition, headers, unknown, whole, joining, ordered)


def it_has(definition: DropDefinition, header: Iterable[str]) -> str:
    """Which columns a file has. Where its first line may be no header at all but people, only names known to us."""
    names = list(header)
    if not definition.personal:
        return f"It has: {', '.join(names)}."
    columns = definition.columns.values()
    known = {folded(n) for c in columns for n in (c.column or "", *c.other_names)}
    known |= {folded(n) for n in (*definition.key, *definition.key_where_given, *definition.ignored)}
    shown = [name for name in names if folded(name) in known]
    return f"It has {len(names)} columns, of which these are known: {', '.join(shown) or 'none'}."


def _key(definition: DropDefinition, name: str, present: Mapping[str, str]) -> str | None:
    """The file's header of a key column, under its own or another name."""
    names = (name, *definition.key_other_names.get(name, ()))
    return next((present[folded(n)] for n in names if folded(n) in present), None)


def whole(mapped: Mapped, field: str, least: int) -> Field:
    """A whole number of at least `least`."""
    text = mapped.text(field)
    value = text.str.replace(r"^(\d+)\.0+$", "$1").cast(pl.Int64, strict=False)
    value = pl.when(value >= least).then(value)
    wrong = text.is_not_null() & value.is_null()
    return Field(value, mapped.fault(field, wrong, "not a whole number", f"write a whole number of {least} or more"))


def number(mapped: Mapped, field: str) -> Field:
    """A number not below zero; thousands may be set off by commas."""
    text = mapped.text(field)
    plain = (
        pl.when(text.str.contains(r"^\d{1,3}(,\d{3})+(\.\d+)?$")).then(text.str.replace_all(",", "")).otherwise(text)
    )
    value = plain.cast(pl.Float64, strict=False)
    value = pl.when(value.is_finite() & (value >= 0)).then(value)
    wrong = text.is_not_null() & value.is_null()
    return Field(value, mapped.fault(field, wrong, "not a number", "write a number of 0 or more"))


def yes(mapped: Mapped, field: str, presumptive: bool = False) -> Field:
    """Yes or no; with `presumptive` also the words presumptive and confirmatory."""
    text = mapped.text(field)
    words = _PRESUMPTIVE if presumptive else _YES
    value = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    wrong = text.is_not_null() & value.is_null()
    advice = "write presumptive or confirmatory" if presumptive else "write yes or no"
    return Field(value, mapped.fault(field, wrong, "neither yes nor no", advice))


def word(mapped: Mapped, field: str, allowed: Iterable[str], otherwise: str | None = None) -> Field:
    """One of our words, compared without case, spaces and hyphens.

    `otherwise` replaces a foreign word, else it is a fault.
    """
    text = mapped.text(field)
    allowed = tuple(allowed)
    squashed = text.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")
    keys = {"".join(filter(str.isalnum, ours)): ours for ours in allowed}
    value = squashed.replace_strict(keys, default=None, return_dtype=pl.String)
    if otherwise is not None:
        return Field(pl.when(text.is_not_null()).then(value.fill_null(otherwise)))
    wrong = text.is_not_null() & value.is_null()
    return Field(value, mapped.fault(field, wrong, f"unknown {field}", f"write one of: {', '.join(allowed)}"))


def _brace(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")
