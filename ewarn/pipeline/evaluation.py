"""The methods measured against what was wanted of them: reference files read, studies run, a page written.

In: a house, a folder of reference files (or the one that came with ewarn), a seed, how many replicates, `now`. Out: an
`EvaluationReport`, and where asked for `evaluation.html` and `evaluation.json` in a folder. Looks at no record of the
home and writes nothing there.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from sysconfig import get_path
from time import perf_counter
from typing import Any

import polars as pl

from ewarn.errors import UsageFault
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import EvaluationReport
from ewarn.review import evaluation, evaluation_page
from ewarn.settings import PACKAGE_CHECKOUT
from ewarn.terms import LONDON

ENDINGS = (".json", ".csv", ".csv.gz")
MOST_BYTES = 50_000_000
LIBRARIES = ("numpy", "scipy", "polars")


def evaluate(
    house: House,
    now: datetime,
    *,
    golden: Path | None = None,
    seed: int = 1,
    replicates: int | None = None,
    quick: bool = False,
    out: Path | None = None,
    progress: Callable[[str], Any] | None = None,
) -> EvaluationReport:
    """Every figure. Raises: UsageFault."""
    if replicates is not None and replicates < 2:
        raise UsageFault("a figure needs two replicates at the least", next_step="Give --replicates 2 or more.")
    folder = golden_folder(golden)
    files = golden_files(folder) if folder else {}
    size = evaluation.Size.asked(replicates, quick)
    parts = []
    for study in evaluation.studies(files, seed, size):
        if progress:
            progress(f"{study.keys}, {study.name}")
        began = perf_counter()
        rows = _rows(study)
        parts.append(evaluation.judged(rows, round(perf_counter() - began, 2), quick))
    report = _report(pl.concat(parts), _made(house, now, folder, seed, size), quick)
    return _written(report, out, _command(golden, seed, replicates, quick)) if out else report


def _rows(study: evaluation.Study) -> pl.DataFrame:
    """A study that cannot be run on what it was given is a row that says so, and stops no other."""
    try:
        return study.run()
    except (ValueError, TypeError, KeyError, ArithmeticError, pl.exceptions.PolarsError) as error:
        return evaluation.broken(study, f"{type(error).__name__}: {error}".splitlines()[0][:200])


def golden_folder(named: Path | None) -> Path | None:
    """The folder asked for; else the checkout's, else the one installed, else none. Raises: UsageFault."""
    if named is not None:
        if not named.is_dir():
            raise UsageFault("no such folder of reference files", where=str(named), next_step="Name one with --golden.")
        return named
    known = (PACKAGE_CHECKOUT / "tests" / "golden", Path(get_path("data")) / "share" / "ewarn" / "golden")
    return next((folder for folder in known if folder.is_dir()), None)


def golden_files(folder: Path) -> dict[str, bytes]:
    """Contents by file name, folders below included. Raises: UsageFault for what cannot be read."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.endswith(ENDINGS) and path.stat().st_size <= MOST_BYTES:
            try:
                found.setdefault(path.name, path.read_bytes())
            except OSError as error:
                raise UsageFault(f"a reference file cannot be read: {error.strerror}", where=str(path)) from error
    return found


def _made(house: House, now: datetime, folder: Path | None, seed: int, size: evaluation.Size) -> dict[str, Any]:
    """What anybody needs to make the same figures again."""
    return {
        "ewarn": version("ewarn"),
        "content": house.catalogue.content_hash,
        "made": f"{now.astimezone(LONDON):%-d %B %Y %H:%M} Europe/London",
        "run": "quick: few replicates, and no verdict where they do not decide" if size.quick else "full",
        "seed": seed,
        "replicates": f"{size.scenarios} a scenario (D1, D2), {size.maps} maps a scenario (D3, D4), "
        f"{size.lag} runs (D5), {size.zeros} series a length (D7)",
        "reference files": "none found" if folder is None else f"folder '{folder.name}'",
        "processors": os.cpu_count() or 1,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def _report(found: pl.DataFrame, made: dict[str, Any], quick: bool) -> EvaluationReport:
    missed = found.filter(verdict=evaluation.MISSED).height
    return EvaluationReport(
        figures=tuple(found.to_dicts()),
        made={name: str(value) for name, value in made.items()},
        summary=evaluation_page.summary(found),
        quick=quick,
        met=found.filter(verdict=evaluation.MET).height,
        missed=missed,
        not_run=found.filter(verdict=evaluation.NOT_RUN).height,
        undecided=found.filter(verdict=evaluation.UNSURE).height,
        exit_status=1 if missed else 0,
    )


def _command(golden: Path | None, seed: int, replicates: int | None, quick: bool) -> str:
    parts = ["ewarn evaluate", f"--seed {seed}"]
    parts += [f"--golden {golden.name}"] if golden else []
    parts += [f"--replicates {replicates}"] if replicates else []
    return " ".join([*parts, "--quick"] if quick else parts)


def _written(report: EvaluationReport, out: Path, command: str) -> EvaluationReport:
    """The page and the figures beside it. Raises: UsageFault."""
    frame = pl.DataFrame(list(report.figures), schema=evaluation.SHAPE)
    page, figures = out / "evaluation.html", out / "evaluation.json"
    try:
        out.mkdir(parents=True, exist_ok=True)
        page.write_text(evaluation_page.page(frame, report.made, command), encoding="utf-8")
        figures.write_text(json.dumps(report.model_dump(mode="json"), indent=1), encoding="utf-8")
    except OSError as error:
        raise UsageFault(
            f"the report cannot be written: {error.strerror}", where=str(out), next_step="Name another --out."
        ) from error
    return report.model_copy(update={"written": (str(page), str(figures))})


def words(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """Wanted, value, interval and verdict of one figure, as the page says them."""
    bounds = ""
    if row["lower"] is not None:
        bounds = f"{evaluation_page.number(row['lower'])}-{evaluation_page.number(row['upper'])}"
    value = evaluation_page.number(row["value"])
    return evaluation_page.wanted(row), value, bounds, evaluation_page.verdict(row)
