"""Tables for people to open elsewhere: every one goes through here, so that no cell of it is a formula.

In: columns and rows as a command shows them. Out: CSV text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ewarn.disclosure import cells


def csv_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows' columns as CSV; a list stands in one cell, its parts joined by a bar."""
    return cells.sheet(columns, ([_flat(row.get(name)) for name in columns] for row in rows))


def _flat(value: Any) -> Any:
    return " | ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
