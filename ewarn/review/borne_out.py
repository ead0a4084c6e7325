"""What became of signals, as far as the data say.

In: signals as first raised, cases as they stand now, record versions with their findings. Out: one word a signal.
*confirmed by case*: its records were joined to a case that people closed as confirmed. *not borne out*: only to cases
closed as not confirmed or artefact; or every finding it named is gone from the newest versions of its records.
*confirmed when raised*: a finding it names was confirmatory on the day it was raised. *confirmed by later test*: it was
not, and a later version says so by a confirmatory method. *not known*: nothing of this. A suspicion is no finding, and
a method that is not stated is not confirmatory. Never a guess from silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl

from ewarn.frames import Lines
from ewarn.terms import CaseFile, ClosedAs, Role, Signal, SubjectKind, day_end

BY_CASE, WHEN_RAISED, LATER = "confirmed by case", "confirmed when raised", "confirmed by later test"
NOT_BORNE_OUT, NOT_KNOWN = "not borne out", "not known"
DISMISSED = (ClosedAs.NOT_CONFIRMED, ClosedAs.ARTEFACT)
FOUND = (Role.MAJOR, Role.MINOR, Role.TRACE, Role.CONFIRMED)


def outcomes(signals: Sequence[Signal], cases: Iterable[CaseFile], known: Lines) -> Counter[str]:
    """How many signals had each outcome."""
    closed = _closed(cases)
    findings = _findings(signals, known)
    return Counter(_outcome(signal, closed, findings) for signal in signals)


def _closed(cases: Iterable[CaseFile]) -> dict[str, set[ClosedAs]]:
    """Record -> what the closed cases that hold it were closed as."""
    found: dict[str, set[ClosedAs]] = {}
    for case in cases:
        if case.status != "closed" or case.closed_as is None:
            continue
        for held in case.signals:
            for record in () if held.suggested else held.signal.records:
                found.setdefault(record, set()).add(case.closed_as)
    return found


Finding = tuple[datetime, datetime | None, frozenset[str], frozenset[str]]


def _findings(signals: Sequence[Signal], known: Lines) -> dict[str, list[Finding]]:
    """Record -> per version, oldest first: known from, until, subjects found, subjects found by confirmation."""
    ids = sorted({record for signal in signals for record in signal.records})
    rows = known.lines.filter(pl.col("record_id").is_in(ids)).select(
        "record_id", "version", "visible_from", "visible_to"
    )
    role, presumptive = pl.col("role"), pl.col("presumptive")
    found = (
        known.mentions.filter(pl.col("record_id").is_in(ids) & role.is_in([r.value for r in FOUND]))
        .with_columns(sure=(presumptive.eq(False) | (role == Role.CONFIRMED.value) & presumptive.is_null()))
        .with_columns(named=pl.concat_list("subject", "class_id").list.drop_nulls())
        .group_by("record_id", "version")
        .agg(
            every=pl.col("named").list.explode(keep_nulls=False, empty_as_null=False),
            confirmed=pl.col("named")
            .filter(pl.col("sure").fill_null(False))
            .list.explode(keep_nulls=False, empty_as_null=False),
        )
    )
    every: dict[str, list[Finding]] = {}
    joined = rows.join(found, on=["record_id", "version"], how="left").sort("record_id", "version")
    for record, _, since, until, subjects, sure in joined.iter_rows():
        every.setdefault(record, []).append((since, until, frozenset(subjects or ()), frozenset(sure or ())))
    return every


def _outcome(signal: Signal, closed: dict[str, set[ClosedAs]], findings: dict[str, list[Finding]]) -> str:
    said = set().union(*(closed.get(record, set()) for record in signal.records))
    if ClosedAs.CONFIRMED in said:
        return BY_CASE
    if said.intersection(DISMISSED):
        return NOT_BORNE_OUT
    if signal.subject.kind not in (SubjectKind.SUBSTANCE, SubjectKind.CLASS):
        return NOT_KNOWN
    then, subject = day_end(signal.first_raised_on), signal.subject.id
    versions = [version for record in signal.records for version in findings.get(record, ())]
    if any(since <= then and subject in sure for since, _, _, sure in versions):
        return WHEN_RAISED
    if any(subject in sure for _, _, _, sure in versions):
        return LATER
    newest = [findings[record][-1] for record in signal.records if record in findings]
    had = any(subject in found for _, _, found, _ in versions)
    gone = had and not any(subject in found and until is None for _, until, found, _ in newest)
    return NOT_BORNE_OUT if gone else NOT_KNOWN
