"""How soon the signals of a back-test named what is known to have happened.

In: signals with their first day, each with those beneath it; episodes with name, area, class or substance and date; the
class of each substance and the areas around each area. Out: one answer an episode: the first signal that names it and
the days between. An episode without a signal has none; it never borrows one about something else.

A signal names an episode when it is about its substance or class (a substance of the class names the class; an episode
without either is named by signals without a substance), in its area, in an area within it or in one that contains it,
and was first raised from `days_before` before to `days_after` after its date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from pydantic import Field

from ewarn.terms import Frozen, Signal


class Episode(Frozen):
    """One entry of an episodes file."""

    name: str
    on: date = Field(alias="date", description="the day it became true or public, from a source of its own")
    area: str = Field("", description="GSS code; empty: anywhere")
    substance: str = ""
    class_id: str = Field("", alias="class")
    days_before: int = Field(180, ge=0)
    days_after: int = Field(365, ge=0)


class Named(NamedTuple):
    episode: Episode
    signal: Signal | None

    @property
    def days(self) -> int | None:
        return None if self.signal is None else (self.signal.first_raised_on - self.episode.on).days


def named(
    episodes: Iterable[Episode],
    signals: Iterable[Signal],
    class_of: Mapping[str, str],
    around: Mapping[str, frozenset[str]],
) -> list[Named]:
    """In: `around` area -> itself and every area that contains it."""
    every = [one for signal in signals for one in (signal, *signal.beneath)]
    every.sort(key=lambda s: (s.first_raised_on, s.rule, s.id))
    return [Named(e, next((s for s in every if _names(e, s, class_of, around)), None)) for e in episodes]


def _names(episode: Episode, signal: Signal, class_of: Mapping[str, str], around: Mapping[str, frozenset[str]]) -> bool:
    days = (signal.first_raised_on - episode.on).days
    return (
        -episode.days_before <= days <= episode.days_after
        and _about(episode, signal.subject.id, class_of)
        and _near(episode.area, signal, around)
    )


def _about(episode: Episode, subject: str, class_of: Mapping[str, str]) -> bool:
    if episode.substance:
        return subject == episode.substance
    if episode.class_id:
        return episode.class_id in (subject, class_of.get(subject))
    return not subject


def _near(area: str, signal: Signal, around: Mapping[str, frozenset[str]]) -> bool:
    codes = (signal.area.code, *(possible.code for possible in signal.also_possible))
    return not area or any(area in around.get(code, ()) or code in around.get(area, ()) for code in codes)
