"""One thing to put right in a text: where it stands, what it is, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import Field

from ewarn.terms import Frozen, digest

NEVER_OVERRIDDEN = ("personal-data", "handling", "watermark")


class Finding(Frozen):
    """One thing to put right before the text goes out; a warning where it does not stop an approval."""

    code: str
    where: str
    what: str
    instead: str
    blocking: bool = Field(True, description="an error, which stops an approval; else a warning")

    @property
    def id(self) -> str:
        """The same for the same finding in the same place, and for no other."""
        return digest([self.code, self.where, self.what], 8)

    @property
    def overridable(self) -> bool:
        return self.code not in NEVER_OVERRIDDEN


class Known(NamedTuple):
    """What the checker cannot read from the text: what the case's records allow now, and how sure the case is now."""

    marking: str = ""
    conditions: tuple[str, ...] = ()
    classification: str = ""
    levels: dict[str, str] | None = None
    releases: tuple[str, ...] = ()


def warning(code: str, where: str, what: str, instead: str) -> Finding:
    return Finding(code=code, where=where, what=what, instead=instead, blocking=False)


def error(code: str, where: str, what: str, instead: str) -> Finding:
    return Finding(code=code, where=where, what=what, instead=instead)


def texts(where: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text inside a part of the content, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("signal", "records", "level", "html"):
                yield from texts(f"{where}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value, start=1):
            yield from texts(f"{where} {index}", inner)
