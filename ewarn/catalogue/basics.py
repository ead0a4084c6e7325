"""What definitions of every kind share: ids and references. Nothing here reads a file."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from ewarn.terms import Frozen

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="lower-case letters, digits and hyphens")]
FileId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Reference(Frozen):
    title: str
    url: str = ""
    dated: date | None = None
