"""How methods do on real weeks that people have labelled, and on series that start with nothing.

In: the contents of a folder by file name, with labelled weekly counts (`salmonella_train.csv`, `salmonella_test.csv`:
date, `n_cases`, `n_outbreak_cases`, `outbreak`) and any `<peer>_pred.csv` (date, `alarm`); or a seed. Out: figures.
Never a path, never a file of its own: where one lacks the study is "not run" and says so.

*Labelled weeks*: the history before the first test week is given, then every test week is judged as of its close.
Specificity is the share of weeks without a label that have no exceedance. The *first signal* is the first exceedance
from four weeks before the first labelled week on, in days before (-) or after it.

*All-zero baseline* (D7): series of zeros of many lengths, then cases; the share of them with an answer (a p-value), and
of those with five cases in a week the share with a signal.

Source: labelled Salmonella Newport weeks of epysurv (MIT licence); METHODS D6, D7.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ewarn.methods import farrington, scan_weeks
from ewarn.methods.farrington import Farrington
from ewarn.methods.scan_weeks import WeekScan
from ewarn.review.figures import Figure, framed, not_run, share

Flags = NDArray[np.bool_]
Files = Mapping[str, bytes]
STUDY = "labelled weeks of S. Newport (D6)"
ZEROS = "all-zero baseline, then cases (D7)"
TRAIN, TEST, PEER = "salmonella_train.csv", "salmonella_test.csv", "_pred.csv"
FIRST_BY = date(2011, 10, 31)
BEFORE_WEEKS = 4
LENGTHS = (1, 4, 12, 26, 52, 104, 211, 263, 400)


def newport(files: Files) -> pl.DataFrame:
    """Farrington Flexible alone and the scan of weeks on the labelled weeks, and the peers whose results are there."""
    absent = [name for name in (TRAIN, TEST) if name not in files]
    if absent:
        return not_run(STUDY, f"{' and '.join(absent)} not in the folder given")
    train, test = (_read(files[name]) for name in (TRAIN, TEST))
    weeks = pl.concat([train, test])
    counts = weeks["n_cases"].cast(pl.Float64).to_numpy()[None, :]
    dates, places = weeks["week"].to_list(), range(train.height, weeks.height)
    alone = farrington.judge(counts, Farrington(least_reports=0), at=places, dates=dates)
    scanned = scan_weeks.judge(counts, WeekScan(), at=places, dates=dates)
    peers = [_peer(name.removesuffix(PEER), files[name], test) for name in sorted(files) if name.endswith(PEER)]
    ours = [
        framed(f"{STUDY}: Farrington Flexible", _figures(test, alone.signal[0], wanted=True), None, None),
        framed(f"{STUDY}: scan of 1 to 3 weeks", _figures(test, scanned.signal[0], wanted=False), None, None),
    ]
    return pl.concat([*ours, *peers])


def _read(content: bytes) -> pl.DataFrame:
    frame = pl.read_csv(io.BytesIO(content), try_parse_dates=True)
    return frame.rename({frame.columns[0]: "week"}).select("week", "n_cases", "n_outbreak_cases", "outbreak")


def _peer(name: str, content: bytes, test: pl.DataFrame) -> pl.DataFrame:
    frame = pl.read_csv(io.BytesIO(content), try_parse_dates=True)
    said = frame.select(pl.col(frame.columns[0]).alias("week"), pl.col("alarm").cast(pl.Float64).fill_null(0.0) > 0)
    signal = test.join(said, on="week", how="left")["alarm"].fill_null(False).to_numpy()
    return framed(f"{STUDY}: peer {name}", _figures(test, signal, wanted=False), None, None)


def _figures(test: pl.DataFrame, signal: Flags, *, wanted: bool) -> list[Figure]:
    label = test["outbreak"].to_numpy()
    weeks = test["week"].to_list()
    hits, quiet = int((signal & label).sum()), int((~signal & ~label).sum())
    begin = int(np.flatnonzero(label)[0]) if label.any() else len(weeks)
    heard = [weeks[i] for i in np.flatnonzero(signal) if i >= begin - BEFORE_WEEKS]
    late = float((heard[0] - FIRST_BY).days) if heard else None
    sensitivity, specificity = share(hits, int(label.sum())), share(quiet, int((~label).sum()))
    floors = (1.0, 0.96) if wanted else (None, None)
    return [
        Figure("labelled weeks found", sensitivity[0], floor=floors[0], note=f"{hits} of {int(label.sum())}"),
        Figure(
            "specificity", specificity[0], floor=floors[1], note=f"95 % {specificity[1]:.3f} to {specificity[2]:.3f}"
        ),
        Figure(
            f"first signal, days after {FIRST_BY}",
            late,
            ceiling=0.0 if wanted else None,
            note=f"{heard[0]}" if heard else "no signal",
        ),
    ]


def zeros(replicates: int = 20, seed: int = 1) -> pl.DataFrame:
    """Series of zeros of many lengths, then 1-8 cases spread over 1-3 weeks."""
    rng = np.random.default_rng(seed)
    answered, signals, large = [], [], []
    for length in LENGTHS:
        values = np.zeros((replicates, length + 3))
        cases = rng.integers(1, 9, replicates)
        lasting = rng.integers(1, 4, replicates)
        for row in range(replicates):
            spread = rng.multinomial(cases[row] - 1, np.full(lasting[row], 1 / lasting[row]))
            values[row, values.shape[1] - lasting[row] :] = spread
            values[row, -1] += 1
        found = scan_weeks.judge(values)
        answered.append(np.isfinite(found.p_value[:, 0]))
        signals.append(found.signal[:, 0])
        large.append((values[:, -1] >= 5) & (length >= LENGTHS[3]))
    known, spoken, many = (np.concatenate(x) for x in (answered, signals, large))
    figures = [
        Figure("series with an answer", float(known.mean()), floor=1.0, note=f"{int(known.sum())} of {known.size}"),
        Figure(
            "five or more cases in the newest week after half a year of zeros or more: signal",
            float(spoken[many].mean()) if many.any() else None,
            floor=1.0,
            note=f"{int(spoken[many].sum())} of {int(many.sum())}",
        ),
    ]
    return framed(ZEROS, figures, seed, replicates)
