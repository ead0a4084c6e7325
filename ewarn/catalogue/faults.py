"""A fault in a definition: which file, which key, what is wrong, what to write instead."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from tomllib import TOMLDecodeError
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from ewarn.terms import Frozen

WHAT_TO_WRITE = {
    "string_type": "write text in quotes",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "tuple_type": "write a list in square brackets",
    "dict_type": "write a table: key = value",
    "model_type": "write a table: key = value",
    "date_type": "write a date without quotes, such as 2026-01-31",
    "date_parsing": "write a date without quotes, such as 2026-01-31",
    "date_from_datetime_parsing": "write a date without quotes, such as 2026-01-31",
    "time_parsing": "write a time, such as 09:00:00",
}


class Fault(Frozen):
    """One thing wrong with one file."""

    file: str
    key: str = Field("", description="dotted key, or line and column, or empty for the whole file")
    problem: str
    remedy: str = Field(description="what to write instead")

    def __str__(self) -> str:
        return f"{self.file}: {self.key + ': ' if self.key else ''}{self.problem}; {self.remedy}"


def nearest(word: str, known: Iterable[str]) -> str:
    """'write X' for the known word nearest to this one, else all the known words."""
    words = sorted(map(str, known))
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"write '{close[0]}'" if close else f"write one of {', '.join(words) or '(none is defined)'}"


def of_syntax(file: str, error: TOMLDecodeError | UnicodeDecodeError) -> Fault:
    """A file that is not TOML at all, with line and column."""
    if isinstance(error, UnicodeDecodeError):
        return Fault(file=file, key=f"byte {error.start}", problem="not UTF-8 text", remedy="save the file as UTF-8")
    found = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return Fault(
        file=file,
        key=found.group(1) if found else "",
        problem=f"not valid TOML: {re.sub(r' *[(]at .*[)]$', '', str(error))}",
        remedy='write key = "text", key = 12, key = true or key = ["a", "b"] there, one key a line',
    )


def of_validation(file: str, model: type[BaseModel], data: Mapping[str, Any], error: ValidationError) -> list[Fault]:
    """Every key the model refuses; the branches of a union that refuse the same value are one fault."""
    gathered: dict[str, list[ErrorDetails]] = {}
    for detail in error.errors():
        gathered.setdefault(_dotted(_reachable(detail, data), data), []).append(detail)
    return [_fault(file, key, details, model) for key, details in gathered.items()]


def _fault(file: str, key: str, details: list[ErrorDetails], model: type[BaseModel]) -> Fault:
    detail = details[0]
    kind, written = detail["type"], _shown(detail["input"])
    context = detail.get("ctx", {})
    expected = [str(d["ctx"]["expected"]) for d in details if "expected" in d.get("ctx", {})]
    field = _field_at(model, detail["loc"])
    meaning = f" ({field.description})" if field is not None and field.description else ""
    if kind == "extra_forbidden":
        problem, remedy = "unknown key", nearest(str(detail["loc"][-1]), _keys(_type_at(model, detail["loc"][:-1])))
    elif kind == "missing":
        problem, remedy = "missing", f"write {detail['loc'][-1]} = …{meaning}"
    elif expected:
        problem, remedy = f"{written} is not allowed", f"write one of {', '.join(expected)}"
    elif kind == "string_pattern_mismatch":
        remedy = f"write {field.description if field is not None and field.description else context['pattern']}"
        problem = f"{written} does not have the right form"
    elif kind == "value_error":
        problem, _, remedy = detail["msg"].removeprefix("Value error, ").partition("; ")
    else:
        problem, remedy = f"{written}: {detail['msg'][0].lower()}{detail['msg'][1:]}", WHAT_TO_WRITE.get(kind, "")
    return Fault(file=file, key=key, problem=problem, remedy=remedy or f"write what the key asks for{meaning}")


def _reachable(detail: ErrorDetails, data: Any) -> tuple[int | str, ...]:
    """The part of the location that names keys of the file; pydantic adds names of union branches after it."""
    loc = detail["loc"]
    for depth, part in enumerate(loc):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return loc if detail["type"] == "missing" and depth == len(loc) - 1 else loc[:depth]
    return loc


def _dotted(loc: tuple[int | str, ...], data: Any) -> str:
    """substances[metonitazene].cas: list items by their id or title where they have one, else by number from 1."""
    text = ""
    for part in loc:
        data = data[part] if _holds(data, part) else None
        if isinstance(part, int):
            name = (data.get("id") or data.get("title")) if isinstance(data, dict) else None
            text += f"[{name or part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def _holds(data: Any, part: int | str) -> bool:
    return (isinstance(data, dict) and part in data) or (
        isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
    )


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _type_at(kind: Any, loc: tuple[int | str, ...]) -> Any:
    """The annotation found by walking a model along a location; None where the walk leaves the models."""
    for part in loc:
        kind = _inner(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = next((f.annotation for n, f in kind.model_fields.items() if part in (n, f.alias)), None)
        elif get_origin(kind) in (tuple, list):
            kind = get_args(kind)[0]
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            return None
    return _inner(kind)


def _inner(kind: Any) -> Any:
    """Out of a union, the member that can hold keys or items."""
    if get_origin(kind) in (Union, types.UnionType):
        members = [a for a in get_args(kind) if a is not types.NoneType]
        return next((a for a in members if get_origin(a) or hasattr(a, "model_fields")), members[0])
    return kind


def _field_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> Any:
    owner = _type_at(model, loc[:-1]) if loc else None
    fields = getattr(owner, "model_fields", {})
    return next((f for name, f in fields.items() if loc[-1] in (name, f.alias)), None)


def _keys(kind: Any) -> list[str]:
    return [field.alias or name for name, field in getattr(kind, "model_fields", {}).items()]
