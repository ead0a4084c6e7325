"""Combination change: two drugs found together more than they were before, one of them on watch.

In: the ground. Out: spells, one per pair, area and closed week, and what had no answer. Judged every Monday, with what
was known by then. A pair is compared with its own weeks before, per sample tested: more testing is no change.

Source: `ewarn.methods.shrinkage` for ratios learned from all pairs together; the exact test of two Poisson counts given
their sum is Przyborowski and Wilenski (1940) Biometrika 31:313-323; false discoveries, `ewarn.methods.discovery`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.frames import spelt
from ewarn.matching.subjects import pair_subject
from ewarn.methods import discovery, shrinkage
from ewarn.methods.special import betainc
from ewarn.rules import counts
from ewarn.rules.prepare import FAR, VERSION, Ground, day_text, number, place, plural
from ewarn.terms import NotEvaluable, SubjectKind, Tier

PASSIVE = ("cutting-agent",)
GAP_WEEKS = 5  # an episode goes on over so many weeks without firing
NEVER = 10**9
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Weeks:
    """Rows of one area by week of reference: a group each, and the closes from and until which they were known."""

    group: Ints
    week: Ints
    seen: Ints
    gone: Ints
    record: NDArray[np.str_]

    def count(self, close: int, first: int, last: int, groups: int) -> Floats:
        """Rows per group with first <= week <= last, as known at a close."""
        return np.bincount(self.group[self.inside(close, first, last)], minlength=groups).astype(np.float64)

    def inside(self, close: int, first: int, last: int) -> Ints:
        known = (self.seen <= close) & (self.gone > close) & (self.week >= first) & (self.week <= last)
        return np.flatnonzero(known)


@dataclass(frozen=True)
class Drugs:
    """What one area knew: samples tested, substances found, and pairs found together (`left`, `right` substances)."""

    area: str
    tier: Tier
    substances: tuple[str, ...]
    left: Ints
    right: Ints
    watched: NDArray[np.bool_]
    tested: Weeks
    found: Weeks
    pairs: Weeks


@dataclass(frozen=True)
class Judged:
    """One close: per pair what was observed, expected, the lower bound of the ratio, p and q."""

    observed: Floats
    before: Floats
    expected: Floats
    lower: Floats
    ratio: Floats
    p: Floats
    q: Floats
    now_tested: float
    before_tested: float
    alone: Floats
    alone_before: Floats
    compared: int


def spells(rule: RuleDefinition, ground: Ground, since: datetime | None) -> tuple[pl.DataFrame, list[NotEvaluable]]:
    """Spells of pairs found together more than before.

    Numbers: `weeks` 8 looked at; `base_weeks` 52 before them; `least_base_weeks` 26; `least_tested` 100 samples in
    the base; `n` 3 together now; `lower` 1, which the 5 % bound of the shrunken ratio must pass; `level` .05 of false
    discoveries among the pairs tested at one close and tier.
    """
    rows: list[dict[str, Any]] = []
    missing: list[NotEvaluable] = []
    for drugs in _areas(rule, ground):
        found, reason = _of_area(rule, ground, drugs, since or ground.until)
        rows += found
        if reason:
            missing.append(_unanswered(rule, reason, (drugs.area,)))
    if not rows and not missing and ground.detections.is_empty():
        missing.append(_unanswered(rule, "nothing found in any sample is known", ()))
    return spelt(rows), missing


def _unanswered(rule: RuleDefinition, reason: str, areas: tuple[str, ...]) -> NotEvaluable:
    return NotEvaluable(rule=rule.id, family=rule.family, reason=reason, strata=1, areas=areas)


def _areas(rule: RuleDefinition, ground: Ground) -> Iterator[Drugs]:
    """The rule's areas, each with what was tested and found there."""
    kinds = [k.value for k in rule.kinds]
    versions = ground.of_kinds(kinds).select(
        *VERSION, week=_week("reference_date"), seen=_close("visible_from"), gone=_gone()
    )
    passive = [s for s, c in ground.catalogue.class_of.items() if c in PASSIVE]
    found = ground.detections.filter(
        (pl.col("subject_kind") == SubjectKind.SUBSTANCE) & ~pl.col("subject").is_in(passive)
    ).select(*VERSION, "subject")
    named = ground.named.filter(pl.col("tier").is_in([t.value for t in rule.tiers]))
    for (area, tier), inside in sorted(named.partition_by("area", "tier", as_dict=True).items()):
        tested = versions.join(inside.select(VERSION), on=VERSION)
        drugs = _drugs(tested, found, ground, str(area), Tier(tier))
        if drugs is not None:
            yield drugs


def _week(column: str) -> pl.Expr:
    return ((pl.col(column) - pl.lit(counts.MONDAY)).dt.total_days() // 7).cast(pl.Int64)


def _close(column: str) -> pl.Expr:
    """The first week at whose close an instant has passed."""
    day = (pl.col(column) - pl.duration(microseconds=1)).dt.convert_time_zone("Europe/London").dt.date()
    return ((day - pl.lit(counts.MONDAY)).dt.total_days() // 7).cast(pl.Int64)


def _gone() -> pl.Expr:
    return pl.when(pl.col("visible_to") < FAR).then(_close("visible_to")).otherwise(NEVER)


def _drugs(tested: pl.DataFrame, found: pl.DataFrame, ground: Ground, area: str, tier: Tier) -> Drugs | None:
    here = found.join(tested, on=VERSION)
    substances = here["subject"].unique().sort().to_list()
    at = pl.DataFrame({"subject": substances}, schema={"subject": pl.String}).with_row_index("at")
    here = here.join(at, on="subject").with_columns(pl.col("at").cast(pl.Int64))
    both = here.join(here.select(*VERSION, other="at"), on=VERSION).filter(pl.col("at") < pl.col("other"))
    if both.is_empty():
        return None
    both = both.with_columns(pair=pl.struct("at", "other").rank("dense").cast(pl.Int64) - 1)
    kinds = both.select("pair", "at", "other").unique().sort("pair")
    watch = np.array([ground.catalogue.is_watched(s) for s in substances], dtype=np.bool_)
    left, right = kinds["at"].to_numpy(), kinds["other"].to_numpy()
    return Drugs(
        area, tier, tuple(substances), left, right, watch[left] | watch[right],
        _weeks(tested.with_columns(group=pl.lit(0, pl.Int64))), _weeks(here.rename({"at": "group"})),
        _weeks(both.rename({"pair": "group"})),
    )  # fmt: skip


def _weeks(rows: pl.DataFrame) -> Weeks:
    group, week, seen, gone = (rows[column].to_numpy() for column in ("group", "week", "seen", "gone"))
    return Weeks(group, week, seen, gone, rows["record_id"].to_numpy())


def _of_area(rule: RuleDefinition, ground: Ground, drugs: Drugs, since: datetime) -> tuple[list[dict[str, Any]], str]:
    """Spells of one area back to `since`, and on while an episode may go on; and why the newest week has no answer."""
    newest = counts.period_of(ground.until.date(), 7)
    while counts.closed_at(newest, 7) > ground.until:
        newest -= 1
    needed, first = counts.period_of(since.date(), 7) - 2, int(drugs.tested.week.min(initial=NEVER))
    reach = GAP_WEEKS + int(rule.fires_for_days // 7)
    earliest, rows, reason = newest + reach + 1, [], ""
    for close in range(newest, first, -1):
        if close < needed and close < earliest - reach:
            break
        judged = _judged(rule, drugs, close, first)
        if isinstance(judged, str):
            reason = judged if close == newest else reason
            continue
        fired = np.flatnonzero(_fires(rule, judged))
        rows += [_spell(rule, ground, drugs, judged, close, int(pair)) for pair in fired]
        earliest = close if fired.size else earliest
    return rows, reason


def _fires(rule: RuleDefinition, judged: Judged) -> NDArray[np.bool_]:
    enough = judged.observed >= number(rule, "n", 3)
    return np.asarray(
        enough & (judged.lower > number(rule, "lower", 1)) & (judged.q <= number(rule, "level", 0.05)), dtype=np.bool_
    )


def _judged(rule: RuleDefinition, drugs: Drugs, close: int, first: int) -> Judged | str:
    """All pairs at one close; in words why there is no answer."""
    length, base = int(number(rule, "weeks", 8)), int(number(rule, "base_weeks", 52))
    start, opened = close - length + 1, max(close - length + 1 - base, first)
    if start - opened < number(rule, "least_base_weeks", 26):
        return f"fewer than {number(rule, 'least_base_weeks', 26):g} weeks of samples before the weeks looked at"
    now = (close, start, close)
    before = (close, opened, start - 1)
    tested, base_tested = (float(drugs.tested.count(*span, 1)[0]) for span in (now, before))
    if base_tested < number(rule, "least_tested", 100) or not tested:
        return f"{base_tested:g} samples in the weeks before: too few"
    pairs = len(drugs.left)
    observed, earlier = drugs.pairs.count(*now, pairs), drugs.pairs.count(*before, pairs)
    alone, alone_before = (drugs.found.count(*span, len(drugs.substances)) for span in (now, before))
    expected = _expected(drugs, alone_before, earlier, tested, base_tested, start - opened)
    least, level = number(rule, "n", 3), number(rule, "level", 0.05)
    candidates = drugs.watched & (observed + earlier >= least)
    # P(at least `observed` of all that were found lie in the new weeks), exact binomial.
    p = np.where(observed > 0, betainc(np.maximum(observed, 1), earlier + 1, tested / (tested + base_tested)), 1.0)
    q = discovery.q_values(np.where(candidates, p, np.nan))
    lower, ratio = np.full(pairs, np.nan), np.full(pairs, np.nan)
    at = np.flatnonzero(candidates & (observed >= least) & (q <= level))
    if at.size:  # the spread of ratios costs more to learn than all the rest
        seen = observed + earlier > 0
        prior = shrinkage.fitted(observed[seen], expected[seen])
        if prior is None:
            return shrinkage.TOO_FEW
        ratios = shrinkage.ratios(observed[at], expected[at], prior)
        lower[at], ratio[at] = ratios.lower, ratios.ebgm
    compared = int(candidates.sum())
    return Judged(observed, earlier, expected, lower, ratio, p, q, tested, base_tested, alone, alone_before, compared)


def _expected(
    drugs: Drugs, alone_before: Floats, earlier: Floats, tested: float, base_tested: float, weeks: int
) -> Floats:
    """The pair's own share of the weeks before, drawn towards independence by the weight of four weeks, times the
    samples tested now; never below half a pair in all those weeks."""
    share = alone_before / base_tested
    weight = 4 * base_tested / weeks
    own = (earlier + weight * share[drugs.left] * share[drugs.right]) / (base_tested + weight)
    return np.asarray(tested * np.maximum(own, 0.5 / base_tested))


def _spell(rule: RuleDefinition, ground: Ground, drugs: Drugs, judged: Judged, close: int, pair: int) -> dict[str, Any]:
    length = int(number(rule, "weeks", 8))
    start = close - length + 1
    inside = drugs.pairs.inside(close, start, close)
    records = sorted({str(r) for r in drugs.pairs.record[inside[drugs.pairs.group[inside] == pair]]})
    ids = [drugs.substances[int(at)] for at in (drugs.left[pair], drugs.right[pair])]
    began, closed = counts.starts_on(start, 7), counts.closed_at(close, 7)
    return {
        "rule": rule.id,
        "subject_kind": SubjectKind.KEY.value,
        "subject": pair_subject(*ids),
        "area": drugs.area,
        "tier": drugs.tier.value,
        "fires_from": closed,
        "fires_to": counts.closed_at(close + max(1, int(rule.fires_for_days // 7)), 7),
        "period_start": began,
        "period_end": counts.starts_on(close + 1, 7).fromordinal(counts.starts_on(close + 1, 7).toordinal() - 1),
        "observed": float(judged.observed[pair]),
        "expected": float(judged.expected[pair]),
        "p_value": float(judged.p[pair]),
        "q_value": float(judged.q[pair]),
        "by_chance_per_year": float(judged.p[pair]) * judged.compared * 365.25 / 7,
        "certain": len(records),
        "records": records,
        "why": _why(ground, drugs, judged, pair, close, start),
        "would_have_stopped_it": "So many together as in the year before, or a rise that chance alone explains among "
        "all the pairs compared.",
    }


def _why(ground: Ground, drugs: Drugs, judged: Judged, pair: int, close: int, start: int) -> str:
    ids = [drugs.substances[int(at)] for at in (drugs.left[pair], drugs.right[pair])]
    names = " and ".join(ground.catalogue.name_of(s) for s in ids)
    tested = f"{judged.now_tested:g} known for the {close - start + 1} weeks from"
    return (
        f"{names} found together in {plural(judged.observed[pair], 'record')} of {tested} "
        f"{day_text(counts.starts_on(start, 7))} in {place(ground.catalogue, drugs.area)}; in the weeks before "
        f"{judged.before[pair]:g} of {judged.before_tested:g}. {judged.expected[pair]:.2g} expected; shrunken ratio "
        f"{judged.ratio[pair]:.1f}, 5 % bound {judged.lower[pair]:.1f}; p {judged.p[pair]:.2g}, "
        f"q {judged.q[pair]:.2g}. {_alone(ground, drugs, pair, judged)}"
    )


def _alone(ground: Ground, drugs: Drugs, pair: int, judged: Judged) -> str:
    """How each of the two stands by itself: whether one rose and took the other along."""
    said = [
        f"{ground.catalogue.name_of(drugs.substances[at])} by itself {judged.alone[at]:g} now, "
        f"{judged.alone_before[at]:g} before"
        for at in (int(drugs.left[pair]), int(drugs.right[pair]))
    ]
    return f"{'; '.join(said)}."
