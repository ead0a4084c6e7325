"""The last one, two and three weeks together against what Farrington Flexible expects of them.

In: counts (series x weeks, oldest first, NaN where a cell is suppressed or missing). Out: `WindowVerdicts`: the
unlikeliest window that ends in the judged week, its observed and expected sum and upper bound, p and which windows
fired. Never a window with a missing week, and never a signal from a newest week without a report.

Every week has the expectation of its own fit. A window's expectation is the sum, its tail exact for the sum of negative
binomials with one variance-to-mean ratio, and averaged over how far that ratio may be off (see `dispersion`). Each
window has its share of alpha; p is the least of p / share, so p <= alpha exactly when a window fires. There is no rule
of five reports in four weeks: exact tails need none.

A series whose first report ever lies in the last 26 weeks has a baseline of zeros and an answer from `zeros`, whatever
its length; from fewer than 26 such weeks a signal can come, but never a clear.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222 (expectations); windows of several weeks against one
expectation, Neill 2009, International Journal of Forecasting 25:498-517; shares of alpha, Bonferroni.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods import farrington
from ewarn.methods.dispersion import averaged_bound, averaged_tail, relative_error
from ewarn.methods.farrington import Farrington
from ewarn.methods.reference import Reference
from ewarn.methods.series import KEYS, judged, matrix
from ewarn.methods.verdicts import Reason, Verdicts
from ewarn.methods.zeros import after_zeros

Vector = NDArray[np.float64]
# Shares and alpha were set on made series so that 42 scenarios without an outbreak fire as often as Farrington
# Flexible alone does at .005 (docs/method.md); two weeks together detect most.
SHARES = (0.25, 0.55, 0.20)
ALPHA = 0.0048
LEAST_ZEROS = 26
LEAST_YEARS = 4
FIRST_WITHIN = 26


@dataclass(frozen=True)
class WeekScan:
    """Numbers of the scan: alpha, the share of each window (one week, two weeks, ...), and the fit behind it."""

    alpha: float = ALPHA
    shares: tuple[float, ...] = SHARES
    sure_of_dispersion: bool = False
    fit: Farrington = field(default_factory=lambda: Farrington(fast=True))

    @classmethod
    def fitted_to(cls, weeks: int) -> WeekScan:
        """The scan for a history of so many weeks: five years of baseline, or four where there are no more."""
        reference = Reference()
        years = reference.years if weeks >= reference.needed else LEAST_YEARS
        return cls(fit=Farrington(reference=replace(reference, years=years), fast=True))

    @property
    def expectation(self) -> Farrington:
        """The fit without its own rule for few reports; a missing week is for the windows to leave out."""
        return Farrington(
            **{**vars(self.fit), "alpha": self.alpha, "least_reports": 0, "recent": 1, "zero_baseline": "predictive"}
        )

    @property
    def baseline_weeks(self) -> int:
        return self.fit.reference.needed - self.fit.reference.excluded


@dataclass(frozen=True, eq=False)
class WindowVerdicts(Verdicts):
    """Observed, expected and upper bound are the window's; `window` is its length in weeks."""

    window: Vector
    fired: NDArray[np.bool_]


def judge(
    counts: Vector,
    scan: WeekScan | None = None,
    *,
    at: Iterable[int] | None = None,
    dates: Sequence[date] | None = None,
) -> WindowVerdicts:
    """Verdicts for the weeks `at` (places in the series; the last one when not given).

    Without a `scan` the baseline has five years, or four where the series is shorter.
    """
    values = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    scan = scan or WeekScan.fitted_to(values.shape[1] - 1)
    places = np.array([values.shape[1] - 1] if at is None else [int(place) for place in at], dtype=np.int64)
    if not places.size or not values.size:
        return _nothing((len(values), places.size), len(scan.shares))
    needed = np.unique(places[:, None] - np.arange(len(scan.shares)))
    needed = needed[needed >= 0]
    fits = farrington.judge(values, scan.expectation, at=needed.tolist(), dates=dates)
    answered = fits.reason == Reason.NONE
    mean, phi = (np.where(answered, x, np.nan) for x in (fits.mean, fits.phi))
    back = places[:, None] - np.arange(len(scan.shares))
    where = np.clip(np.searchsorted(needed, back), 0, needed.size - 1)
    inside = back >= 0
    observed, means, ratios = (np.where(inside, x[:, where], np.nan) for x in (values[:, needed], mean, phi))
    found = scanned(observed, means, ratios, scan)
    reasons = fits.reason[:, where[:, 0]]
    found.reason[:] = np.where(np.isfinite(found.p_value), Reason.NONE, reasons)
    _answer_first_reports(values, places, scan, found)
    return found


def scanned(observed: Vector, mean: Vector, phi: Vector, scan: WeekScan) -> WindowVerdicts:
    """Windows of weeks already expected.

    In: series x judged weeks x weeks back (0 is the judged week), NaN where there is no count or no expectation.
    """
    shape, windows = observed.shape[:2], min(observed.shape[2], len(scan.shares))
    if not windows or not observed.size:
        return _nothing(shape, len(scan.shares))
    y, m = np.cumsum(observed[..., :windows], axis=2), np.cumsum(mean[..., :windows], axis=2)
    ratio = np.divide(np.cumsum((mean * phi)[..., :windows], axis=2), m, out=np.full_like(m, np.nan), where=m > 0)
    weekly = m / np.arange(1, windows + 1)
    error = np.zeros_like(m) if scan.sure_of_dispersion else relative_error(weekly, ratio, scan.baseline_weeks)
    share = np.array(scan.shares[:windows])
    part = np.minimum(averaged_tail(y, m, ratio, error) / share, 1.0)
    part = np.where(np.isfinite(part) & (observed[..., :1] <= 0), 1.0, part)
    best = np.where(np.isfinite(part), part, np.inf).argmin(axis=2)[..., None]
    chosen = [np.take_along_axis(x, best, 2)[..., 0] for x in (y, m, ratio, error, part)]
    bound = averaged_bound(scan.alpha * share[best[..., 0]], *chosen[1:4])
    fired = np.zeros((*shape, len(scan.shares)), dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        fired[..., :windows] = part <= scan.alpha
        score = (chosen[0] - chosen[1]) / (bound - chosen[1])
    reason = np.where(np.isfinite(chosen[4]), Reason.NONE, Reason.TOO_SHORT).astype(np.int8)
    window = np.where(reason == Reason.NONE, best[..., 0] + 1.0, np.nan)
    return WindowVerdicts(chosen[0], chosen[1], bound, chosen[4], score, reason, window, fired)


def _nothing(shape: tuple[int, ...], windows: int) -> WindowVerdicts:
    reason = np.full(shape, Reason.TOO_SHORT, dtype=np.int8)
    observed, expected, upper, p_value, score, window = (np.full(shape, np.nan) for _ in range(6))
    fired = np.zeros((*shape, windows), dtype=bool)
    return WindowVerdicts(observed, expected, upper, p_value, score, reason, window, fired)


def _answer_first_reports(values: Vector, places: NDArray[np.int64], scan: WeekScan, found: WindowVerdicts) -> None:
    """Histories too short for a fit whose first report ever is recent: the weeks before it are the baseline."""
    reported = np.nan_to_num(values) > 0
    first = np.where(reported.any(axis=1), reported.argmax(axis=1), values.shape[1])
    known = np.cumsum(np.isfinite(values), axis=1)
    zeros = np.where(first > 0, known[np.arange(len(values)), np.maximum(first, 1) - 1], 0)
    before = np.minimum(known[:, np.maximum(places - 1, 0)], zeros[:, None])
    recent = (places - first[:, None] < FIRST_WITHIN) & (before > 0)
    rows, columns = np.nonzero((found.reason == Reason.TOO_SHORT) & recent & np.isfinite(values[:, places]))
    if not rows.size:
        return
    weeks = before[rows, columns].astype(np.float64)
    back = places[columns][:, None] - np.arange(len(scan.shares))
    observed = np.where(back >= 0, values[rows[:, None], np.maximum(back, 0)], np.nan)[:, None, :]
    alone = scanned(observed, *_after_zeros(weeks, len(scan.shares)), replace(scan, sure_of_dispersion=True))
    for name in ("observed", "expected", "upper", "p_value", "score", "window", "fired"):
        getattr(found, name)[rows, columns] = getattr(alone, name)[:, 0]
    enough = (weeks >= LEAST_ZEROS) | (alone.p_value[:, 0] <= scan.alpha)
    found.reason[rows[enough], columns[enough]] = Reason.NONE


def _after_zeros(weeks: Vector, windows: int) -> tuple[Vector, Vector]:
    """Per week back, what makes the sum over each window the predictive distribution after `weeks` of zeros."""
    length = np.arange(1.0, windows + 1)
    mean, _ = after_zeros(weeks[:, None], np.ones(windows))
    return mean[:, None, :], (1.0 + (2 * length - 1) / np.maximum(weeks[:, None], 1.0))[:, None, :]


def on_frame(counts: pl.DataFrame, scan: WeekScan | None = None, last: int | None = None) -> pl.DataFrame:
    """The rows of the `last` weeks (all when not given) with their verdicts.

    In: `stratum`, `period` (Monday), `observed`. Out: those columns (the newest week's own count) and `window_weeks`,
    `window_observed`, `expected`, `upper`, `p_value`, `score`, `outcome`, `reason`.
    """
    kept: list[WindowVerdicts] = []

    def judge_weeks(values: Vector, places: list[int], dates: list[date]) -> Verdicts:
        kept.append(judge(values, scan, at=places, dates=dates))
        return kept[-1]

    told = judged(counts, judge_weeks, "1w", last)
    if not kept:
        return told.with_columns(
            pl.lit(None, pl.Int64).alias("window_weeks"), pl.lit(None, pl.Float64).alias("window_observed")
        )
    held = matrix(counts)
    periods = held.periods[len(held.periods) - kept[0].window.shape[1] :]
    strata = held.strata.cast(counts.schema["stratum"])
    windows = pl.DataFrame(
        {
            "stratum": strata.gather(np.repeat(np.arange(strata.len()), len(periods))),
            "period": pl.Series(periods * strata.len(), dtype=pl.Date),
            "window_weeks": pl.Series(kept[0].window.ravel()).fill_nan(None).cast(pl.Int64),
            "window_observed": pl.Series(kept[0].observed.ravel()).fill_nan(None),
        }
    )
    return told.join(windows, on=KEYS, how="left", maintain_order="left")
