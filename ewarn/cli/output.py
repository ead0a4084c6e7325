"""What a command says. In: reports of the pipeline. Out: tables or one JSON document on stdout, the rest on stderr.

Text that came from outside is shown without control characters and never read as markup. Colour never stands alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

from ewarn.errors import ContentFault, EwarnError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Progress = Callable[[str], None]
_CONTROL = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_CONTROL_LINES = {code: to for code, to in _CONTROL.items() if code != 0x0A}


def clean(value: object, *, lines: bool = False) -> str:
    """A value as safe text: nothing in it can move the cursor, ring the bell or turn the reading direction."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return local_time(value)
    return str(value).translate(_CONTROL_LINES if lines else _CONTROL)


def local_time(instant: datetime | date | None) -> str:
    """An instant in Europe/London to the minute, or a day."""
    if instant is None:
        return "-"
    if not isinstance(instant, datetime):
        return instant.isoformat()
    from ewarn.terms import LONDON

    return instant.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")


def number(value: float | None) -> str:
    """A number to three figures; a dash where it is unknown."""
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def span(hours: float | None) -> str:
    """A length of time in its own unit: 40 min, 7 h, 12 d; a dash where it is unknown."""
    if hours is None:
        return "-"
    if hours < 1:
        return f"{max(0, round(hours * 60))} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def ago(now: datetime, then: datetime | None) -> str:
    """How long before `now` something was; a dash where it never was."""
    return span(None if then is None else max(0.0, (now - then).total_seconds() / 3600))


def show_handling(console: Console, marking: str, conditions: Sequence[str]) -> None:
    """Under which marking what stands above may be passed on, and what its originators ask."""
    if marking:
        plain(console, f"Handling: {marking}. {' '.join(conditions)}".rstrip())


class Output:
    """Where the answer goes. `stdout` is held back from everything else while --json is on."""

    def __init__(self, as_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.answered = False
        self.call = "ewarn"  # the words that call this program again, home and content included

    def console(self, *, errors: bool = False) -> Console:
        from rich.console import Console

        from ewarn.cli.hints import runnable

        class Page(Console):
            """A console that says commands as this call would repeat them."""

            def print(page, *objects: Any, **how: Any) -> None:
                super().print(*(runnable(o, self.call) if isinstance(o, str) else o for o in objects), **how)

        return Page(file=self.stderr if errors or self.as_json else self.stdout, highlight=False, soft_wrap=False)

    def answer(self, document: Any, human: Callable[[Console], None]) -> None:
        """The command's one answer: the document with --json, else what `human` prints."""
        if self.as_json:
            self.document(document)
        else:
            human(self.console())
            self.answered = True

    def document(self, document: Any) -> None:
        text = json.dumps(document, ensure_ascii=False, default=_plain, indent=2 if self.stdout.isatty() else None)
        self.stdout.write(text + "\n")
        self.stdout.flush()
        self.answered = True

    def text(self, text: str) -> None:
        """Text of another form than the two above, as it stands, such as CSV."""
        self.stdout.write(text)
        self.stdout.flush()
        self.answered = True

    def say(self, text: str) -> None:
        """A remark on stderr."""
        self.console(errors=True).print(clean(text, lines=True), markup=False, soft_wrap=True)

    def fault(
        self, what: str, where: str = "", next_step: str = "", faults: Sequence[str] = (), status: int = 1
    ) -> None:
        """What went wrong, where, and what to do next."""
        console = self.console(errors=True)
        console.print(f"ewarn: {clean(what)}", markup=False, soft_wrap=True, style="bold")
        for line in faults:
            console.print(f"  - {clean(line)}", markup=False, soft_wrap=True)
        if where:
            console.print(f"  where: {clean(where)}", markup=False, soft_wrap=True)
        if next_step:
            console.print(f"  next:  {clean(next_step)}", markup=False, soft_wrap=True)
        if self.as_json and not self.answered:
            from ewarn.cli.hints import runnable

            fields = {"what": what, "where": where, "next": runnable(next_step, self.call), "exit_status": status}
            self.document({"error": fields | ({"faults": list(faults)} if faults else {})})

    def error(self, error: EwarnError) -> None:
        faults = error.faults if isinstance(error, ContentFault) else ()
        self.fault(
            f"{len(faults)} faults in content" if len(faults) > 1 else error.what,
            error.where, error.next_step, faults if len(faults) > 1 else (), error.exit_status,
        )  # fmt: skip

    @contextmanager
    def progress(self, doing: str) -> Iterator[Progress]:
        """What is being done and for how long, on stderr; silent where stderr is not a terminal."""
        if not self.stderr.isatty():
            yield lambda label: None
            return
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        words = TextColumn("{task.description}", markup=False)
        with Bar(SpinnerColumn(), words, TimeElapsedColumn(), console=self.console(errors=True), transient=True) as bar:
            task = bar.add_task(doing, total=None)
            yield lambda label: bar.update(task, description=clean(f"{doing}: {label}"))


def _plain(value: object) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "", right: Sequence[str] = ()
) -> Table:
    """A table that reads at 80 columns and without colour: narrow columns are never broken, wide ones fold."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[clean(cell) for cell in row] for row in rows]
    least, whole = _widths(list(zip(columns, *cells, strict=True)))
    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        side: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, overflow="fold", justify=side, no_wrap=whole[number], min_width=least[number])
    for row in cells:
        made.add_row(*map(Text, row))
    return made


def _widths(columns: Sequence[Sequence[str]], page: int = 76) -> tuple[list[int], list[bool]]:
    """Least width of each column, and whether it fits whole. In: cells by column, the heading first.

    Every column keeps its longest word, cut down evenly where the page is too narrow for that; what room is left goes
    to the narrowest columns first, so that ids and numbers stay in one piece.
    """
    room = page - 2 * len(columns)
    full = [max(map(len, column)) for column in columns]
    words = [max(len(word) for cell in column for word in (cell.split() or [""])) for column in columns]
    cut = max(full, default=0)
    while sum(min(word, cut) for word in words) > room and cut > 3:
        cut -= 1
    least = [min(word, cut) for word in words]
    room -= sum(least)
    for number in sorted(range(len(columns)), key=lambda n: full[n]):
        if full[number] - least[number] > room:
            break
        room -= full[number] - least[number]
        least[number] = full[number]
    return least, [width == whole for width, whole in zip(least, full, strict=True)]


def plural(count: int, one: str, many: str = "") -> str:
    """`1 signal`, `2 signals`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def plain(console: Console, text: str = "") -> None:
    """A line of text in which nothing is markup."""
    console.print(clean(text, lines=True), markup=False, soft_wrap=True)
