"""VALIDATE at the command line: detect (the ad-hoc check), backtest, explain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.options import Area, By, BySecretFile, Call, Rule, Substance, command, day, instant
from ewarn.cli.output import clean, local_time, number, plain, plural, show_handling, table

if TYPE_CHECKING:
    from rich.console import Console

    from ewarn.pipeline.reports import Confirmed, DutyLoad, LeadTime
    from ewarn.terms import NotEvaluable, Signal


PANEL = "Validate"


NUMBERS = ("observed", "tested", "positivity")


class Counted(StrEnum):
    SAMPLE = "sample"
    INCIDENT = "incident"


class Length(StrEnum):
    DAY = "day"
    WEEK = "week"


def register(app: typer.Typer) -> None:
    command(app, "detect", rich_help_panel=PANEL)(detect)
    command(app, "backtest", rich_help_panel=PANEL)(backtest)
    command(app, "explain", rich_help_panel=PANEL)(explain)
    command(app, "counts", rich_help_panel=PANEL)(counts)


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
    rule_file: Annotated[
        Path | None, typer.Option("--rule-file", metavar="PATH", help="A rule that is not in the content yet.")
    ] = None,
    area: Area = None,
    substance: Substance = None,
    history_from: Annotated[
        str | None, typer.Option("--history-from", metavar="DATE", help="Look at no record older than this.")
    ] = None,
    episodes: Annotated[
        Path | None, typer.Option("--episodes", metavar="PATH", help="Known events (TOML): how soon each is named.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Write the figures into the one rule's own file.")] = False,
) -> None:
    """Ask today's rules at 23:59:59 Europe/London of every day, as it was known then. Writes nothing but for --keep."""
    from ewarn.errors import UsageFault
    from ewarn.pipeline import backtest as looking_back

    first, last = day(start, "--from"), day(end, "--to")
    if last < first:
        raise UsageFault(f"--to {last} is before --from {first}", where="backtest", next_step="Swap them.")
    if rule and rule_file:
        raise UsageFault("--rule and --rule-file name two rules", where="backtest", next_step="Give one of them.")
    if keep and (area or substance or not (rule or rule_file)):
        raise UsageFault(
            "--keep writes the figures of one whole rule", where="backtest",
            next_step="Give --rule or --rule-file, without --area and --substance.",
        )  # fmt: skip
    since = day(history_from, "--history-from") if history_from else None
    house = call.house()
    with call.out.progress("looking back") as progress:
        report = looking_back.study(
            house, first, last, rule=rule, rule_file=rule_file, area=area, substance=substance, history_from=since,
            episodes=episodes, progress=progress,
        )  # fmt: skip
    if keep:
        target = looking_back.keep(house, rule, rule_file, report, call.now(house))
        report = report.model_copy(update={"kept_in": str(target)})

    def human(console: Console) -> None:
        plain(console, f"{report.start} to {report.end}, {report.days} days, content {report.content_hash[:12]}.")
        show_signals(console, report.signals, first_raised=True)
        show_handling(console, report.marking, report.conditions)
        plain(console, f"{report.signals_per_week:.2f} signals a week.")
        _show_load(console, report.load, bool(area or substance))
        _show_lead_times(console, report.lead_times)
        _show_confirmed(console, report.confirmed)
        show_not_evaluable(console, report.not_evaluable)
        if report.kept_in:
            plain(console, f"These figures stand in {report.kept_in}.")

    call.out.answer(report, human)


def _show_load(console: Console, load: DutyLoad, narrowed: bool) -> None:
    """What a duty officer would have had to read, and which rules asked for it."""
    plain(
        console,
        f"A duty officer would have had {load.pages:.2f} pages and {load.items:.2f} items to read a week "
        f"(fullest week: {load.most_pages} and {load.most_items}; the budget is 2 and 6 a week, "
        f"{'kept' if load.kept else 'NOT kept'}).",
    )
    if narrowed:
        plain(console, "That is for every area and substance; --area and --substance narrow the signals alone.")
    if load.elsewhere:
        plain(console, f"Outside the home area, read by nobody here: {load.elsewhere} pages and items.")
    if load.by_rule:
        rows = [(row["rule"], row["pages"], row["items"], number(row["a_week"])) for row in load.by_rule]
        console.print(table(("rule", "pages", "items", "a week"), rows, right=("pages", "items", "a week")))


def _show_lead_times(console: Console, found: Sequence[LeadTime]) -> None:
    if not found:
        return
    rows = [(one.episode, one.on, one.raised_on, one.days, one.rule or "no signal named it") for one in found]
    console.print(table(("episode", "its date", "first signal", "days after", "rule"), rows, right=("days after",)))


def _show_confirmed(console: Console, found: Confirmed) -> None:
    if found.share is None:
        plain(console, "Later confirmed: not known for any of the signals.")
        return
    plain(
        console,
        f"Later confirmed, of those of which something is known: {found.share:.0%} ({found.by_case} by a case, "
        f"{found.by_later_test} by a later test, {found.when_raised} already when raised; {found.not_borne_out} not "
        f"borne out, {found.not_known} not known).",
    )


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


def _chance(p_value: float | None) -> str:
    """'0.0021 (about 1 in 476)'."""
    return (
        "-" if p_value is None else f"{p_value:.2g}" + (f" (about 1 in {1 / p_value:,.0f})" if p_value > 1e-9 else "")
    )


def _show_trail(console: Console, signal: Signal, records: Sequence[dict[str, Any]]) -> None:
    plain(console, f"{signal.family.value}: {signal.subject.name or '-'} in {signal.area.name} ({signal.id})")
    plain(console, signal.why)
    for label, value in (
        ("rule", signal.rule), ("period", f"{signal.period.start} to {signal.period.end}"),
        ("observed", number(signal.observed)), ("expected", number(signal.expected)), ("persons", _persons(signal)),
        ("upper bound", number(signal.upper_bound)), ("standing", signal.standing.value),
        ("chance of so many or more", _chance(signal.p_value)), ("q", number(signal.q_value)),
        ("signals by chance a year", number(signal.by_chance_per_year)),
        ("would have stopped it", signal.would_have_stopped_it or "-"),
    ):  # fmt: skip
        plain(console, f"  {label}: {value}")
    for record in records:
        plain(console, "")
        for key, value in record.items():
            plain(console, f"  {key.replace('_', ' ')}: {clean(value)}")


def counts(
    call: Call,
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day; default 12 weeks ago.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day; default today.")] = None,
    area: Area = None,
    substance: Substance = None,
    kind: Annotated[Counted, typer.Option(help="Samples tested, or overdose incidents.")] = Counted.SAMPLE,
    by: Annotated[Length, typer.Option(help="Length of a period.")] = Length.WEEK,
    near: Annotated[bool, typer.Option("--near", help="With the areas that border this one.")] = False,
    backlog: Annotated[
        bool, typer.Option("--backlog", help="By month, and by the month in which it became known.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As it was known then: an ISO instant, or a date.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table for a spreadsheet.")] = False,
) -> None:
    """How many there are, week by week, zeros and the number tested beside them."""
    from ewarn.pipeline import counted, exports
    from ewarn.terms import london_day

    house = call.house()
    now = call.now(house)
    last = day(end, "--to") if end else london_day(now)
    report = counted.counts(
        house, now, day(start, "--from") if start else last - timedelta(weeks=12), last, area=area or "",
        substance=substance or "", kind=kind.value, by=by.value, near=near, backlog=backlog,
        as_of=instant(as_of) if as_of else None,
    )  # fmt: skip
    if as_csv and not call.out.as_json:
        columns = (*report.columns, "marking", "conditions")
        told = {"marking": report.marking, "conditions": report.conditions}
        call.out.text(exports.csv_of(columns, [row | told for row in report.rows]))
        return

    def human(console: Console) -> None:
        plain(console, f"As known at {local_time(report.as_of)} Europe/London.")
        shown = [name for name in report.columns if name not in ("area", "subject")]
        found = [row for row in report.rows if row["observed"] or substance]
        if not found:
            plain(console, "None of what is on watch was found. Absence of data is no proof of absence.")
        else:
            rows = [tuple("-" if row[name] is None else row[name] for name in shown) for row in found]
            console.print(table(tuple(name.replace("_", " ") for name in shown), rows, right=NUMBERS))
        show_handling(console, report.marking, report.conditions)

    call.out.answer(report, human)
