"""The names and places a reading matches against, built once for a catalogue. Never changed by what is read."""

from __future__ import annotations

from typing import NamedTuple

from ewarn.intake.staged import Known
from ewarn.matching import Gazetteer, Matcher


class Vocabulary(NamedTuple):
    known: Known
    matcher: Matcher
    gazetteer: Gazetteer


_newest: list[Vocabulary] = []


def of(known: Known) -> Vocabulary:
    """The vocabulary of a catalogue; the one built last is kept, as most readings follow one another with it."""
    if not _newest or _newest[0].known is not known:
        made = Vocabulary(
            known,
            Matcher(known.classes.values(), known.statuses.values()),
            Gazetteer(known.areas, known.outcodes, known.placenames, known.squares),
        )
        _newest[:] = [made]
    return _newest[0]
