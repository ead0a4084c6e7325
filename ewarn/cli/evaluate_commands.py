"""VALIDATE at the command line: evaluate, the figures of the methods beside what was wanted of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.options import Call, command
from ewarn.cli.output import plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import EvaluationReport

PANEL = "Validate"
RIGHT = ("s",)


def register(app: typer.Typer) -> None:
    command(app, "evaluate", rich_help_panel=PANEL)(evaluate)


def evaluate(
    call: Call,
    golden: Annotated[
        Path | None, typer.Option("--golden", metavar="DIR", help="Reference files. Default: those ewarn carries.")
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option("--replicates", metavar="N", help="Of each of the 42 scenarios; the rest in proportion."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="What every random number follows from.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write evaluation.html and evaluation.json there.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few replicates; no verdict where they do not decide.")
    ] = False,
) -> int:
    """Measure the methods on reference files and drawn series. Exit status 1 where a figure is missed."""
    from ewarn.pipeline import evaluation

    house = call.house()
    with call.out.progress("evaluating") as progress:
        report = evaluation.evaluate(
            house, call.now(house), golden=golden, seed=seed, replicates=replicates, quick=quick, out=out,
            progress=progress,
        )  # fmt: skip
    call.out.answer(report, lambda console: _show(console, report))
    return report.exit_status


def _show(console: Console, report: EvaluationReport) -> None:
    if report.quick:
        plain(console, "A quick run: few replicates, and no verdict where they do not decide.")
    own = [row for row in report.figures if ": peer " not in row["study"]]
    heads = ("", "figure", "wanted", "value (95 %)", "verdict", "seed x n", "s")
    console.print(table(heads, _rows(own), right=RIGHT))
    for row in report.figures:
        if row["note"] and row["verdict"] in ("missed", "not run"):
            plain(console, f"{row['study']}, {row['figure']}: {row['note']}")
    if len(own) < len(report.figures):
        plain(console, f"{len(report.figures) - len(own)} figures of other methods stand in --json and --out alone.")
    plain(console, report.summary)
    made = report.made
    plain(console, f"ewarn {made['ewarn']}, content {made['content'][:12]}, {made['processors']} processors.")
    for path in report.written:
        plain(console, f"Written: {path}")


def _rows(figures: Sequence[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """One row a figure; what nothing is asked of by a number says of which study it is."""
    from ewarn.pipeline.evaluation import words

    for row in figures:
        wanted, value, bounds, verdict = words(row)
        name = row["figure"] if row["key"] else f"{row['figure']} [{row['study'].split(',')[0]}]"
        shown = f"{value} ({bounds})" if bounds else value
        repeated = "" if row["replicates"] is None else f"{row['seed']} x {row['replicates']}"
        yield row["key"], name, wanted, shown, verdict, repeated, f"{row['seconds']:.0f}"
