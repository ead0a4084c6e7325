"""The house opened: settings, content and database, carried together to every verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ewarn import catalogue as content_room
from ewarn import settings as settings_room
from ewarn.catalogue import Catalogue
from ewarn.settings import Settings
from ewarn.store import database


@dataclass(frozen=True)
class House:
    """What a verb needs besides the clock."""

    settings: Settings
    catalogue: Catalogue
    db: database.Database

    def own(self, area: str) -> str:
        """Whose rota and panel an area is for: this house's home area where it lies inside that area, else itself."""
        home = self.settings.home_area
        return home if area in {above.code for above in self.catalogue.ancestors(home)} else area


def open_house(
    home: Path | None = None,
    content: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    clock: Callable[[Settings], datetime] | None = None,
    **overrides: Any,
) -> House:
    """Read settings and content and make the database or bring it forward.

    In: `clock` says what time it is in this home (a door's own, or an exercise's scripted one).
    Raises: UsageFault, ContentFault, StoreBusy, StoreFault.
    """
    settings = settings_room.load(home, content, environ, **overrides)
    catalogue = content_room.load(settings.content, settings.overlay)
    db = database.Database(settings)
    if not db.is_ready():
        db.migrate(clock(settings) if clock else datetime.now(UTC))
    return House(settings, catalogue, db)
