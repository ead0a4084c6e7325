"""An originator's release: what those a record came from allow of it beyond the marking they gave it."""

from __future__ import annotations

from datetime import datetime

from ewarn.terms import LONDON, Frozen


class Release(Frozen):
    """One release, as a named person entered it. It counts for one case, or for one of its texts alone."""

    at: datetime
    case: str
    alert: str = ""
    source: str
    marking: str
    classification: str = ""
    conditions: str | None = None
    reason: str
    originator: str
    person: str

    @property
    def words(self) -> str:
        """In a sentence, for the text checker and the report of a text."""
        lifted = "" if self.conditions is None else f", conditions now: {self.conditions or 'none'}"
        day = f"{self.at.astimezone(LONDON):%-d %B %Y}"
        marking = f"{self.classification} {self.marking}".strip()
        return (
            f"{self.originator} released what came from {self.source} to {marking}{lifted} "
            f"({self.reason}; entered by {self.person} on {day})"
        )
