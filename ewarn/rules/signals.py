"""Spells become signals: what stands at one instant, or what was first raised on each day of a range.

In: an evaluation. Out: signals with their records, words and the ones beneath. A signal always says what was known at
the instant it speaks of; detect and back-test give one event the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import polars as pl

from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import RuleDefinition
from ewarn.matching import persons
from ewarn.rules import collapse, episodes, reaching
from ewarn.rules.collapse import Episode, Spell
from ewarn.rules.persons import told_of
from ewarn.rules.prepare import VERSION, Ground, place, plural
from ewarn.terms import (
    AreaRef,
    Family,
    NotEvaluable,
    Period,
    PossibleArea,
    RecordKind,
    Signal,
    Subject,
    SubjectKind,
    Tier,
    day_end,
    london_day,
    signal_id,
)

LEAST_SHARE = 0.2
# Methods whose observed number is the records themselves; windows and series keep the number they found.
ADDED_UP = {"first", "missold", "notice", "unknown_name"}


@dataclass(frozen=True)
class Evaluation:
    """What the rules found: spells over known time, what had no answer, and the ground they stood on.

    since: signals that stood at an instant are told from here on.
    """

    spells: pl.DataFrame
    not_evaluable: list[NotEvaluable]
    since: datetime
    until: datetime
    rules: tuple[RuleDefinition, ...]
    ground: Ground

    @cached_property
    def book(self) -> Book:
        return Book(self)


class Book:
    """The evaluation's episodes that matter since the instant asked: what lies beneath what, and the rows needed to
    describe them."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.ground = evaluation.ground
        self.catalogue = evaluation.ground.catalogue
        rules = {rule.id: rule for rule in evaluation.rules}
        frame = episodes.of(evaluation.spells)
        frame = frame.filter(pl.col("episode").is_in(list(reaching.reached(frame, evaluation.since))))
        self.rows: dict[int, list[dict[str, Any]]] = {}
        for row in frame.iter_rows(named=True):
            self.rows.setdefault(row["episode"], []).append(row)
        self.versions, self.possible = self._of_records(frame)
        self.people = self._of_people(frame)
        self.episodes = {number: self._episode(number, rows, rules) for number, rows in self.rows.items()}
        self.parents = collapse.beneath(self.episodes.values(), self.catalogue, told_of(self.people))

    def _of_records(self, frame: pl.DataFrame) -> tuple[dict[str, list[Any]], dict[tuple[str, int], list[Any]]]:
        """The versions of every record in a spell, and the boroughs each could be in."""
        ids = frame.select(record_id=pl.col("records").explode()).drop_nulls().unique()
        versions: dict[str, list[Any]] = {}
        kept = self.ground.versions.join(ids, on="record_id", how="semi").sort("record_id", "version")
        cells = self.ground.counts.join(ids, on="record_id", how="semi").sort("record_id", "version")
        columns = ["record_id", "version", "kind", "visible_from", "visible_to", "day"]
        for row in pl.concat([kept.select(columns), cells.select(columns)]).iter_rows():
            versions.setdefault(row[0], []).append(row)
        possible: dict[tuple[str, int], list[Any]] = {}
        boroughs = self.ground.possible.filter(pl.col("tier") == Tier.BOROUGH)
        for record, version, area, _, share, _ in boroughs.join(ids, on="record_id", how="semi").iter_rows():
            possible.setdefault((record, version), []).append((area, share))
        return versions, possible

    def _of_people(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The versions of every incident in a spell, as reports of persons."""
        ids = frame.select(record_id=pl.col("records").explode()).drop_nulls().unique()
        incidents = self.ground.versions.filter(pl.col("kind") == RecordKind.INCIDENT)
        incidents = incidents.join(ids, on="record_id", how="semi")
        return persons.told(incidents.join(self.ground.boroughs, on=VERSION, how="left"))

    def persons(self, records: Sequence[str], instant: datetime) -> tuple[int, int]:
        """Fewest and most persons that records can be, as they and what people said of them stood at an instant."""
        asked = instant.astimezone(UTC)
        now = (pl.col("visible_from") <= asked) & (pl.col("visible_to") > asked)
        rows = self.people.filter(pl.col("record_id").is_in(list(records)) & now).sort("record_id")
        return persons.count(rows, self.ground.links.filter(now))

    def _episode(self, number: int, rows: list[dict[str, Any]], rules: dict[str, RuleDefinition]) -> Episode:
        first = rows[0]
        spells = tuple(Spell(r["fires_from"], r["fires_to"], frozenset(r["records"])) for r in rows)
        shares = self.shares(sorted(spells[0].records), first["fires_from"])
        return Episode(
            number=number,
            rule=rules[first["rule"]],
            subject_kind=first["subject_kind"],
            subject=first["subject"],
            area=first["area"],
            tier=first["tier"],
            spells=spells,
            possible=frozenset(shares) if first["tier"] == Tier.BOROUGH else frozenset(),
        )

    def current(self, record: str, instant: datetime) -> Any | None:
        """The version of a record that was current at an instant, or the last one seen by then."""
        seen = [row for row in self.versions.get(record, ()) if row[3] <= instant]
        return seen[-1] if seen else None

    def shares(self, records: Sequence[str], instant: datetime) -> dict[str, float]:
        """Borough -> mean share over the records that have a borough at all."""
        sums: dict[str, float] = {}
        for record in records:
            row = self.current(record, instant)
            for area, share in self.possible.get((record, row[1]), ()) if row else ():
                sums[area] = sums.get(area, 0.0) + share
        return {area: total / len(records) for area, total in sums.items()}

    def standing(self, episode: Episode, instant: datetime) -> list[dict[str, Any]]:
        """The episode's spells that contain an instant."""
        return [r for r in self.rows[episode.number] if r["fires_from"] <= instant < r["fires_to"]]

    def signal(self, episode: Episode, instant: datetime, raised_on: date | None = None) -> Signal | None:
        """The signal as it stood at an instant, without what lies beneath; None where it did not stand."""
        rows = self.standing(episode, instant)
        if not rows:
            return None
        best = max(rows, key=lambda r: (r["observed"] or 0, r["fires_from"], r["records"]))
        records = tuple(sorted({record for row in rows for record in row["records"]}))
        added = episode.rule.method in ADDED_UP
        known_on = self._known_on(episode, records, instant) or london_day(best["fires_from"])
        history = self._history(episode, records, known_on)
        learning = history is not None and history < episode.rule.learning_days
        subject, area = self._subject(episode, best), self.catalogue.area_ref(episode.area)
        counted = best["persons_min"] is not None
        fewest, most = self.persons(records, instant) if counted else (None, None)
        return Signal(
            id=signal_id(episode.rule.id, subject, area, london_day(episode.began)),
            rule=episode.rule.id,
            family=episode.rule.family,
            subject=subject,
            area=area,
            also_possible=self._also_possible(episode, records, instant),
            period=Period(start=min(r["period_start"] for r in rows), end=max(r["period_end"] for r in rows)),
            observed=float(len(records)) if added else best["observed"],
            expected=best["expected"],
            upper_bound=best["upper_bound"],
            p_value=best["p_value"],
            q_value=best["q_value"],
            by_chance_per_year=best["by_chance_per_year"],
            records=records,
            record_count=len(records),
            why=_why(rows, best, records, added, history if learning else None, (fewest, most)),
            would_have_stopped_it=best["would_have_stopped_it"] or "",
            certain=self._certain(rows, best, added),
            persons_min=fewest,
            persons_max=most,
            learning=learning,
            known_on=known_on,
            first_raised_on=raised_on or london_day(episode.began),
            history_days=history,
            grade_suggested=episode.rule.grade_suggested,
        )

    def _subject(self, episode: Episode, row: dict[str, Any]) -> Subject:
        kind = SubjectKind(episode.subject_kind)
        if kind is not SubjectKind.KEY:
            name = self.catalogue.name_of(episode.subject) if episode.subject else ""
            return Subject(kind=kind, id=episode.subject, name=name)
        source = self.catalogue.sources.get(episode.subject)
        name = source.title if source and episode.rule.family is Family.SILENCE else episode.subject.replace("-", " ")
        return Subject(kind=kind, id=episode.subject, name=name)

    def _known_on(self, episode: Episode, records: Sequence[str], instant: datetime) -> date | None:
        """London day on which the newest of the records first was news to the rule; a later finding in it is news."""
        news: dict[str, datetime] = {}
        for spell in episode.spells:
            if spell.fires_from <= instant:
                for record in spell.records:
                    news.setdefault(record, spell.fires_from)
        return max((london_day(news[record]) for record in records), default=None)

    def _history(self, episode: Episode, records: Sequence[str], known_on: date) -> int | None:
        """Days of lines of the records' kind known before; None for what has no records."""
        kinds = {self.versions[r][0][2] for r in records if r in self.versions} or {k.value for k in episode.rule.kinds}
        starts = [self.ground.first_visible[k] for k in kinds if k in self.ground.first_visible]
        return (known_on - min(starts)).days if starts else None

    def _also_possible(self, episode: Episode, records: Sequence[str], instant: datetime) -> tuple[PossibleArea, ...]:
        """Other boroughs from a share of 0.2 up, the largest first; for signals of a borough only."""
        if episode.tier != Tier.BOROUGH or not records:
            return ()
        shares = {a: round(s, 4) for a, s in self.shares(records, instant).items() if a != episode.area}
        ranked = sorted(((s, a) for a, s in shares.items() if s >= LEAST_SHARE), key=lambda x: (-x[0], x[1]))
        return tuple(PossibleArea(code=a, name=self.catalogue.area_ref(a).name, share=s) for s, a in ranked)

    def _certain(self, rows: list[dict[str, Any]], best: dict[str, Any], added: bool) -> int | None:
        if not added:
            return best["certain"]  # type: ignore[no-any-return]
        by_record = {record: row["certain"] or 0 for row in rows for record in row["records"]}
        return sum(by_record.values())

    def outgrew(self, parent: int, signal: Signal, instant: datetime) -> bool:
        """Whether a signal holds records that the one it lay beneath never held."""
        begun = [r for r in self.rows[parent] if r["fires_from"] <= instant]
        return not set(signal.records) <= {record for row in begun for record in row["records"]}

    def with_beneath(
        self, root: Episode, signal: Signal, lower: Sequence[tuple[Episode, Signal]], asked: datetime | None
    ) -> Signal:
        """The signal with the ones beneath it, in order, and what they add said in its own words.

        `asked` is the instant asked about; None means as first raised: only those raised on the same day add to it.
        """
        as_first_raised = asked is None
        instant = asked or day_end(signal.first_raised_on)
        ordered = sorted(lower, key=lambda pair: collapse.order(pair[0], self.catalogue))
        said = _also_first(root, ordered, self.catalogue) + _also_found(root, ordered)
        words: dict[str, Any] = {"beneath": tuple(s for _, s in ordered)}
        if root.group is Family.CLUSTER:
            near = [s for _, s in ordered if s.area == signal.area]
            words |= _grown(
                signal, [s for s in near if not as_first_raised or s.first_raised_on == signal.first_raised_on]
            )
            if words["record_count"] > signal.record_count:
                said.append(f"{words['record_count']} records in all over longer windows.")
                if signal.persons_min is not None:
                    people = self.persons(words["records"], instant)
                    words |= {"persons_min": people[0], "persons_max": people[1]}
                    said[-1] = f"{said[-1][:-1]}: {_range(*people)}."
        return signal.model_copy(update=words | {"why": " ".join([signal.why, *said]).strip()})


def at(
    evaluation: Evaluation,
    instant: datetime,
    catalogue: Catalogue | None = None,
    rules: Sequence[RuleDefinition] | None = None,
) -> list[Signal]:
    """Signals that stand at an instant (UTC), main ones only, each with the ones beneath that stand too."""
    book = evaluation.book
    raised = {n: s for n, e in book.episodes.items() if (s := book.signal(e, instant)) is not None}
    return _nested(book, raised, instant)


def over(
    evaluation: Evaluation,
    days: Sequence[date],
    catalogue: Catalogue | None = None,
    rules: Sequence[RuleDefinition] | None = None,
) -> list[Signal]:
    """Signals first raised within the days, each once, as it stood at 23:59:59 Europe/London of that day."""
    wanted = set(days)
    book = evaluation.book
    raised = {}
    for number, episode in book.episodes.items():
        day = _first_evening(book.rows[number], evaluation.until)
        if day in wanted:
            signal = book.signal(episode, day_end(day), day)
            if signal is not None:
                raised[number] = signal
    return _nested(book, raised, None)


def _first_evening(rows: list[dict[str, Any]], until: datetime) -> date | None:
    """First day at whose end one of the spells stands, by `until`."""
    evenings = []
    for row in rows:
        evening = day_end(london_day(row["fires_from"]))
        if row["fires_from"] <= evening < row["fires_to"] and evening <= until:
            evenings.append(london_day(row["fires_from"]))
    return min(evenings, default=None)


def _nested(book: Book, raised: dict[int, Signal], instant: datetime | None) -> list[Signal]:
    """Main signals with the ones beneath; one that outgrew a main signal no longer standing is a main one itself."""
    lower: dict[int, list[tuple[Episode, Signal]]] = {}
    tops: list[int] = []
    grew = _grew_most(book, raised) if instant else set()
    for number, signal in raised.items():
        parent = book.parents.get(number)
        if parent is not None and parent in raised and number not in grew:
            lower.setdefault(parent, []).append((book.episodes[number], signal))
        elif parent is None or parent in raised or (instant and book.outgrew(parent, signal, instant)):
            tops.append(number)
    found = [book.with_beneath(book.episodes[n], raised[n], lower.get(n, []), instant) for n in tops]
    return sorted(found, key=lambda s: (s.first_raised_on, s.rule, s.area.code, s.subject.id, s.id))


def _grew_most(book: Book, raised: dict[int, Signal]) -> set[int]:
    """Beneath each main signal, the one that grew beyond it furthest, if any did."""
    most: dict[int, int] = {}
    for number in sorted(
        raised, key=lambda n: (-(raised[n].observed or 0), collapse.order(book.episodes[n], book.catalogue))
    ):
        parent = book.parents.get(number)
        if parent in raised and _says_more(raised[number], raised[parent]):
            most.setdefault(parent, number)
    return set(most.values())


def _says_more(lower: Signal, main: Signal) -> bool:
    """A longer window in the same area, over the same records, that holds more persons: a running total grew."""
    more = (lower.observed or 0) > (main.observed or 0) and set(lower.records) <= set(main.records)
    return lower.family is Family.CLUSTER and lower.area == main.area and more


def _grown(main: Signal, lower: Sequence[Signal]) -> dict[str, Any]:
    """What longer windows in the same area add to a cluster: later events are updates of the same signal."""
    together = (main, *lower)
    records = tuple(sorted({r for s in together for r in s.records}))
    return {
        "records": records,
        "record_count": len(records),
        "period": Period(start=min(s.period.start for s in together), end=max(s.period.end for s in together)),
        "known_on": max(s.known_on for s in together),
    }


def _why(
    rows: list[dict[str, Any]],
    best: dict[str, Any],
    records: Sequence[str],
    added: bool,
    learning: int | None,
    people: tuple[int | None, int | None],
) -> str:
    """The words of the spell that says most, how many records there are by now, and how short the history is."""
    parts = [str(best["why"])]
    if added and len(records) > 1:
        firsts = sorted(rows, key=lambda r: (r["fires_from"], r["records"]))
        parts = [str(firsts[0]["why"]), f"{len(records)} records in all."]
    elif not added and len(records) > len(best["records"]) > 0:
        parts.append(f"{len(records)} records in all since it was raised.")
    if people[0] is not None and people != (best["persons_min"], best["persons_max"]):
        parts.append(f"All its records together: {_range(*people)}.")
    if learning is not None:
        parts.append(
            f"Learning: only {plural(learning, 'day')} of history." if learning else "Learning: no history yet."
        )
    return " ".join(parts)


def _range(fewest: int | None, most: int | None) -> str:
    """'12 persons', '5 to 10 persons'."""
    return plural(fewest or 0, "person") if fewest == most else f"{fewest} to {most} persons"


def _also_first(root: Episode, lower: Sequence[tuple[Episode, Signal]], catalogue: Catalogue) -> list[str]:
    """'It is also the first in London and in the UK', for the same subject at wider tiers."""
    if root.rule.family is not Family.FIRST:
        return []
    wider: dict[str, AreaRef] = {
        s.area.code: s.area
        for e, s in lower
        if e.rule.id == root.rule.id and e.subject == root.subject and e.area != root.area
    }
    names = [place(catalogue, a.code) for a in wider.values() if a.tier is not Tier.BOROUGH]
    return [f"Also the first in {' and in '.join(names)}."] if names else []


def _also_found(root: Episode, lower: Sequence[tuple[Episode, Signal]]) -> list[str]:
    """Other substances of the same card."""
    if root.rule.family is not Family.FIRST:
        return []
    substances = {s.subject for _, s in lower if s.subject.kind is SubjectKind.SUBSTANCE}
    others = {subject.name for subject in substances if subject.id != root.subject}
    return [f"Newly found with it: {', '.join(sorted(others))}."] if others else []
