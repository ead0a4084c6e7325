"""How well exceedance methods do on Noufaily's 42 scenarios.

In: seed and replicates a scenario. Out: figures with their 95 % intervals, for Farrington Flexible alone, for the scan
of one to three weeks, and for the false-discovery tier. Never a series of this deployment.

Every series is drawn twice from the same random numbers: with a current outbreak and without (its past outbreaks stay).
- *False-positive rate*: share of the 49 judged weeks with an exceedance in the series without a current outbreak.
- *Rate beside outbreaks*: share of weeks with an exceedance among those outside the outbreak in the series that have
  one. Windows that reach back into an outbreak just over count here.
- *POD*: share of current outbreaks with an exceedance in at least one of their weeks; *in the first week* likewise.
- *Sensitivity*, *PPV*, *F1*: over the judged weeks of the series with an outbreak, all scenarios added up: outbreak
  weeks with an exceedance / outbreak weeks; / weeks with an exceedance; and their harmonic mean.
A week that is not evaluable has no exceedance.

Source: Noufaily et al. 2013, Statistics in Medicine 32:1206-1222; Bedubourg and Le Strat 2017, PLoS ONE
12:e0181227 (measures by week).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods import farrington, scan_weeks
from ewarn.methods.discovery import q_values
from ewarn.methods.farrington import Farrington
from ewarn.methods.scan_weeks import WeekScan
from ewarn.review.figures import Figure, framed, ratios
from ewarn.review.outbreak_series import JUDGED, Drawn, drawn_all

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
TIER_LEVEL = 0.2
PLACES = range(JUDGED.start, JUDGED.stop)
WANTED_SCAN = {"false-positive rate": 0.0053, "POD": 0.45, "PPV": 0.77, "F1": 0.46}
WANTED_TIER = {"false-positive rate": 0.0010, "POD": 0.45, "PPV": 0.65}
CEILINGS = {"false-positive rate"}


def study(replicates: int = 100, seed: int = 1, level: float = TIER_LEVEL) -> pl.DataFrame:
    """Farrington Flexible alone, the scan of weeks (D1) and the tier (D2), on the same series."""
    outbreaks, quiet = drawn_all(replicates, seed), drawn_all(replicates, seed, share=0.0)
    scan = WeekScan()
    scanned, scanned_quiet = (tails_of_scan(series.counts, scan) for series in (outbreaks, quiet))
    parts: tuple[tuple[str, dict[str, float], Flags, Flags], ...] = (
        ("Farrington Flexible alone, 42 scenarios", {}, _alone(outbreaks.counts), _alone(quiet.counts)),
        ("scan of 1 to 3 weeks, 42 scenarios (D1)", WANTED_SCAN, scanned <= scan.alpha, scanned_quiet <= scan.alpha),
        (
            "false-discovery tier, 42 scenarios (D2)",
            WANTED_TIER,
            accepted(scanned, level),
            accepted(scanned_quiet, level),
        ),
    )
    return pl.concat(
        framed(name, measured(outbreaks, signal, silent, wanted, seed), seed, replicates)
        for name, wanted, signal, silent in parts
    )


def tails_of_scan(counts: Array, scan: WeekScan) -> Array:
    """p of the scan in the judged weeks; 1 where there is no answer."""
    found = scan_weeks.judge(counts, scan, at=PLACES)
    return np.where(found.reason == 0, found.p_value, 1.0)


def accepted(tails: Array, level: float) -> Flags:
    """Benjamini-Hochberg over all series of one week: a week is a run, all strata are one tier."""
    return np.less_equal(q_values(tails.T).T, level)


def _alone(counts: Array) -> Flags:
    """Farrington Flexible as R has it, its rule of 5 reports in 4 weeks included."""
    return farrington.judge(counts, Farrington(fast=True), at=PLACES).signal


def measured(drawn: Drawn, signal: Flags, silent: Flags, wanted: dict[str, float], seed: int) -> list[Figure]:
    """Figures of one method: `signal` in the series with outbreaks, `silent` in the same series without."""
    inside, has = drawn.outbreak, drawn.outbreak.any(axis=1)
    first = inside & (np.cumsum(inside, axis=1) == 1)
    counted = np.column_stack(
        [
            silent.sum(axis=1),
            np.full(len(silent), silent.shape[1]),
            (signal & ~inside).sum(axis=1),
            (~inside).sum(axis=1),
            (signal & inside).any(axis=1),
            has,
            (signal & first).any(axis=1),
            (signal & inside).sum(axis=1),
            inside.sum(axis=1),
        ]
    ).astype(np.float64)
    quiet, weeks, beside, outside, caught, outbreaks, at_once, hits, positives = np.eye(9)
    lines = {
        "false-positive rate": (quiet, weeks),
        "rate beside outbreaks": (beside, outside),
        "POD": (caught, outbreaks),
        "POD in the first week": (at_once, outbreaks),
        "sensitivity": (hits, positives),
        "PPV": (hits, hits + beside),
        "F1": (2 * hits, hits + beside + positives),
    }
    tops, bottoms = (np.array([line[i] for line in lines.values()]) for i in (0, 1))
    values = ratios(counted, tops, bottoms, seed)
    return [
        Figure(
            name,
            *value,
            floor=None if name in CEILINGS else wanted.get(name),
            ceiling=wanted.get(name) if name in CEILINGS else None,
        )
        for name, value in zip(lines, values, strict=True)
    ]
