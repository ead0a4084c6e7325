"""Prospective space-time permutation scan: has a zone had more cases of late than the margins explain?

In: counts (areas x days) that end today, and zones. Out: the strongest window, weaker ones that share no area with it,
each with observed, expected, likelihood ratio, Monte Carlo p and recurrence interval. Needs no population: each area
and each day is compared with its own total, so a rise of the whole country is no signal. It cannot tell a crowd from
cases that come in batches (overdispersion). Never a clock: today is the last column.

Source: Kulldorff et al. 2005, PLoS Medicine 2:e59 (the statistic, shuffling); Kleinman, Lazarus and Platt 2004,
American Journal of Epidemiology 159:217-224 (recurrence intervals).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ewarn.errors import UsageFault
from ewarn.methods.shuffling import Margins, exceeding
from ewarn.methods.zones import Zones

Counts = NDArray[np.int64]
Numbers = NDArray[Any]
Reals = NDArray[np.float64]
LEVEL_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Settings:
    """What to look at. Periods are the columns of the counts (days, or weeks). secondary: weaker windows as well, at
    about three times the cost."""

    most_periods: int = 30
    most_share: float = 0.5
    least_cases: int = 2
    replicates: int = 999
    seed: int = 20260101
    secondary: bool = False
    least_total: int = 2


@dataclass(frozen=True)
class Window:
    """A zone over the newest `periods` columns. p and recurrence (in analyses) are those of the whole scan."""

    areas: tuple[int, ...]
    periods: int
    observed: int
    expected: float
    log_ratio: float
    p_value: float
    recurrence: float


@dataclass(frozen=True)
class Scan:
    """Windows, strongest first; `reason` says why the scan could not be made (then it has no windows)."""

    windows: tuple[Window, ...]
    reason: str | None = None


def scan(counts: Numbers, zones: Zones, settings: Settings | None = None) -> Scan:
    """The prospective scan of one map: every zone of `zones` over every window that ends with the last column.

    A zone holds at most `most_share` of all cases. NaN or negative cells cannot be permuted: not evaluable.
    """
    settings = settings or Settings()
    table, reason = _whole(counts, zones, settings)
    if reason is not None:
        return Scan((), reason)
    width = min(settings.most_periods, table.shape[1])
    recent = np.cumsum(table[:, : -width - 1 : -1], axis=1)
    margins = Margins(table.sum(axis=1), recent.sum(axis=0), zones, settings.most_share)
    found = _strongest(recent, margins, settings)
    found = _apart(found, zones) if settings.secondary else found[:1]
    if not found:
        return Scan(())
    levels = np.array([ratio - LEVEL_TOLERANCE for ratio, *_ in found])
    above, followed = exceeding(margins, levels, settings.least_cases, settings.replicates, settings.seed)
    p_values = (1 + above) / (1 + followed)
    windows = [_window(one, float(p), recent, margins) for one, p in zip(found, p_values, strict=True)]
    return Scan(tuple(windows))


def log_ratio(observed: Numbers, expected: Reals, total: int) -> Reals:
    """Logarithm of the likelihood ratio; 0 where no more was observed than expected."""
    c = np.asarray(observed, dtype=np.float64)
    rest, rest_expected = total - c, total - expected
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(c > 0, c * np.log(c / expected), 0.0)
        outside = np.where(rest > 0, rest * np.log(rest / rest_expected), 0.0)
        ratio: Reals = np.where(c > expected, inside + outside, 0.0)
    return ratio


Found = tuple[float, int, int, int]


def _whole(counts: Numbers, zones: Zones, settings: Settings) -> tuple[Counts, str | None]:
    """The counts as whole numbers, or why they cannot be scanned."""
    values = np.asarray(counts)
    if values.ndim != 2 or values.shape[0] != zones.areas:
        raise UsageFault(f"counts are areas x periods; {values.shape} does not fit {zones.areas} areas")
    nothing = np.zeros((zones.areas, 0), dtype=np.int64)
    if not np.isfinite(values.astype(np.float64)).all():
        return nothing, "suppressed or missing cells"
    if values.shape[1] < 2:
        return nothing, "fewer than 2 periods of history"
    table = values.astype(np.int64)
    if (table < 0).any() or (table != values).any():
        raise UsageFault("counts are whole numbers of at least 0")
    if table.sum() < settings.least_total:
        return nothing, f"fewer than {settings.least_total} cases in all"
    if zones.areas < 2:
        return nothing, "fewer than 2 areas to compare"
    return table, None


def _strongest(recent: Counts, margins: Margins, settings: Settings) -> list[Found]:
    """The best window of every chain, strongest first: ratio, chain, step, periods.

    Of equals the smaller zone wins, then the shorter window.
    """
    found: list[Found] = []
    for chain, (members, steps) in enumerate(margins.chains()):
        if not steps.size:
            continue
        observed = np.cumsum(recent[members], axis=0)[steps]
        expected = margins.zone_totals[chain, steps][:, None] * margins.recent[None, :] / margins.total
        ratio = log_ratio(observed, expected, margins.total)
        ratio[observed < settings.least_cases] = 0.0
        best = int(np.argmax(ratio))
        step, width = divmod(best, ratio.shape[1])
        if ratio.flat[best] > 0:
            found.append((float(ratio.flat[best]), chain, int(steps[step]), width + 1))
    return sorted(found, key=lambda one: (-round(one[0], 10), one[2], one[3], one[1]))


def _apart(found: list[Found], zones: Zones) -> list[Found]:
    """The strongest, then each next that shares no area with what was taken before it."""
    taken: set[int] = set()
    kept = []
    for one in found:
        areas = zones.zone(one[1], one[2])
        if taken.isdisjoint(areas):
            kept.append(one)
            taken.update(areas)
    return kept


def _window(found: Found, p_value: float, recent: Counts, margins: Margins) -> Window:
    ratio, chain, step, periods = found
    areas = margins.zones.zone(chain, step)
    observed = int(recent[list(areas), periods - 1].sum())
    expected = float(margins.zone_totals[chain, step] * margins.recent[periods - 1] / margins.total)
    return Window(areas, periods, observed, expected, ratio, p_value, 1 / p_value)
