"""VALIDATE at the command line: detect (the ad-hoc check), backtest, explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.options import Area, By, BySecretFile, Call, Rule, Substance, command, day, instant
from ewarn.cli.output import clean, local_time, number, plain, plural, show_handling, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.terms import NotEvaluable, Signal


PANEL = "Validate"


def register(app: typer.Typer) -> None:
    command(app, "detect", rich_help_panel=PANEL)(detect)
    command(app, "backtest", rich_help_panel=PANEL)(backtest)
    command(app, "explain", rich_help_panel=PANEL)(explain)


def detect(
    call: Call,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As it was known then: an ISO instant, or a date.")
    ] = None,
    rule: Rule = None,
    area: Area = None,
    substance: Substance = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look only: no case, no page, nothing written.")] = False,
) -> None:
    """Ask the rules. New signals join cases and page the duty rota, save with --dry-run."""
    from ewarn.pipeline import validate

    house = call.house()
    at = instant(as_of) if as_of else None
    with call.out.progress("asking the rules"):
        report = validate.detect(house, call.now(house), at, rule, area, substance, dry_run)

    def human(console: Console) -> None:
        plain(console, f"As known at {local_time(report.as_of)} Europe/London, content {report.content_hash[:12]}.")
        show_signals(console, report.signals)
        show_handling(console, report.marking, report.conditions)
        show_not_evaluable(console, report.not_evaluable)
        if report.new or report.cases:
            plain(console, f"New or grown: {len(report.new)}. Cases touched: {', '.join(report.cases) or 'none'}.")
        if report.pages:
            plain(
                console, f"Waiting for the duty rota: {plural(len(report.pages), 'page')}, to leave with `ewarn send`."
            )

    call.out.answer(report, human)


def show_signals(console: Console, signals: Sequence[Signal], first_raised: bool = False) -> None:
    """One row per signal, with its reason underneath the table where there are few."""
    plain(console, f"{plural(len(signals), 'signal')}.")
    if not signals:
        return
    heads = ("signal", "family", "subject", "area", "obs.", "exp.", "first raised" if first_raised else "period end")
    rows = [
        (
            s.id[:8], s.family.value, s.subject.name or "-", s.area.name, number(s.observed), number(s.expected),
            s.first_raised_on if first_raised else s.period.end,
        )
        for s in signals
    ]  # fmt: skip
    console.print(table(heads, rows, right=("obs.", "exp.")))
    for signal in signals[:10]:
        plain(console, f"{signal.id[:8]} [{signal.rule}] {signal.why}")
    plain(console, "Down to the raw rows: `ewarn explain SIGNAL` (the first characters of its id will do).")


def show_not_evaluable(console: Console, found: Sequence[NotEvaluable]) -> None:
    """Rules without an answer, counted on their own: never to be read as 'no signal'."""
    if not found:
        plain(console, "Not evaluable: 0. Every rule asked had an answer.")
        return
    strata = sum(n.strata for n in found)
    rules = Counter(n.rule for n in found)
    count = f"{plural(strata, 'stratum', 'strata')} in {plural(len(rules), 'rule')}"
    plain(console, f"Not evaluable: {count}. This is not 'no signal':")
    console.print(table(("rule", "strata", "reason"), [(n.rule, n.strata, n.reason) for n in found], right=("strata",)))


def backtest(
    call: Call,
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day evaluated.")],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day evaluated.")],
    rule: Rule = None,
    area: Area = None,
    substance: Substance = None,
    history_from: Annotated[
        str | None, typer.Option("--history-from", metavar="DATE", help="Look at no record older than this.")
    ] = None,
) -> None:
    """Ask today's rules at 23:59:59 Europe/London of every day, as it was known then. Writes nothing."""
    from ewarn.errors import UsageFault
    from ewarn.pipeline import validate

    first, last = day(start, "--from"), day(end, "--to")
    if last < first:
        raise UsageFault(f"--to {last} is before --from {first}", where="backtest", next_step="Swap them.")
    since = day(history_from, "--history-from") if history_from else None
    house = call.house()
    with call.out.progress("looking back") as progress:
        report = validate.backtest(house, first, last, rule, area, substance, since, progress=progress)

    def human(console: Console) -> None:
        plain(console, f"{report.start} to {report.end}, {report.days} days, content {report.content_hash[:12]}.")
        show_signals(console, report.signals, first_raised=True)
        show_handling(console, report.marking, report.conditions)
        plain(console, f"{report.signals_per_week:.2f} signals a week.")
        show_not_evaluable(console, report.not_evaluable)

    call.out.answer(report, human)


def explain(
    call: Call,
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Its id, or the first characters of it.")],
    raw: Annotated[bool, typer.Option("--raw", help="With the text as it came; who looks is put on record.")] = False,
    acting: By = None,
    acting_secret: BySecretFile = None,
) -> None:
    """Follow a signal down to the raw row, its file and hash."""
    from ewarn.pipeline import rawtext, validate

    house = call.house()
    trail = validate.explain(house, signal, call.now(house))
    if raw:
        told = rawtext.shown(house, trail.records, call.now(house), call.keeper(acting, acting_secret))
        trail = trail.model_copy(update={"records": tuple(told)})

    def human(console: Console) -> None:
        _show_trail(console, trail.signal, trail.records)
        show_handling(console, trail.marking, trail.conditions)

    call.out.answer(trail, human)


def _persons(signal: Signal) -> str:
    """Fewest and most persons, where the rule counts persons."""
    if signal.persons_min is None:
        return "-"
    same = signal.persons_min == signal.persons_max
    return str(signal.persons_min) if same else f"{signal.persons_min} to {signal.persons_max}"


def _show_trail(console: Console, signal: Signal, records: Sequence[dict[str, Any]]) -> None:
    plain(console, f"{signal.family.value}: {signal.subject.name or '-'} in {signal.area.name} ({signal.id})")
    plain(console, signal.why)
    for label, value in (
        ("rule", signal.rule), ("period", f"{signal.period.start} to {signal.period.end}"),
        ("observed", number(signal.observed)), ("expected", number(signal.expected)), ("persons", _persons(signal)),
        ("upper bound", number(signal.upper_bound)), ("standing", signal.standing.value),
        ("would have stopped it", signal.would_have_stopped_it or "-"),
    ):  # fmt: skip
        plain(console, f"  {label}: {value}")
    for record in records:
        plain(console, "")
        for key, value in record.items():
            plain(console, f"  {key.replace('_', ' ')}: {clean(value)}")
