"""One column of a table by its very name, whatever that is.

In: a header as a file has it. Out: an expression. Polars takes '*' and names between '^' and '$' for patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl


def column_named(name: str) -> pl.Expr:
    """The column of this name and no other."""
    pattern = name == "*" or (name.startswith("^") and name.endswith("$"))
    return pl.col(f"^{re.escape(name)}$") if pattern else pl.col(name)


def all_named(names: Iterable[str]) -> list[pl.Expr]:
    return [column_named(name) for name in names]
