"""Options every command shares: --home, --content, --json before or after the command's name; times; who acts.

In: words. Out: a `Call`, which opens the house, tells the time and proves who acts. Secrets come from a prompt or a
file, never from an argument or the environment.
"""

from __future__ import annotations

import inspect
import os
import shlex
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ewarn.cli.hints import program
from ewarn.cli.output import Output
from ewarn.errors import Refused, UsageFault

if TYPE_CHECKING:
    from ewarn.pipeline.house import House
    from ewarn.pipeline.reports import Actor
    from ewarn.settings import Settings

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="State: database, raw/, drops/. Default: EWARN_HOME, else var/ewarn.", show_default=False
    ),
]
ContentOption = Annotated[
    Path | None,
    typer.Option(
        "--content",
        help="Content: a folder with sources/ and alerts/. Default: EWARN_CONTENT, else the one installed.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document to stdout; all else goes to stderr.")
]
As = Annotated[str, typer.Option("--as", metavar="PERSON", help="Who acts: the id of a registered person.")]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret-file", metavar="PATH", help="File with that person's secret; without it you are asked."),
]
By = Annotated[
    str | None,
    typer.Option("--as", metavar="PERSON", help="Who acts; needed once an administrator is registered."),
]
BySecretFile = Annotated[
    Path | None,
    typer.Option("--as-secret-file", metavar="PATH", help="File with the acting person's secret; else you are asked."),
]
Area = Annotated[
    str | None, typer.Option("--area", metavar="AREA", help="A name or GSS code, such as Camden or E09000007.")
]
Rule = Annotated[str | None, typer.Option("--rule", metavar="ID", help="One rule only, by its id.")]
Substance = Annotated[
    str | None, typer.Option("--substance", metavar="ID", help="A substance or class, by id or name.")
]
SourceId = Annotated[str | None, typer.Option("--source", metavar="ID", help="One source only, by its id.")]


@dataclass
class Call:
    """One call of the command line: what was said before and after the command's name, and where the answer goes."""

    out: Output
    home: Path | None = None
    content: Path | None = None
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def house(self, **overrides: Any) -> House:
        """The house opened; HOME is created where absent."""
        from ewarn.pipeline.house import open_house

        return open_house(self.home, self.content, self.environ, clock=self.clock, **overrides)

    def now(self, house: House) -> datetime:
        """The instant at this door, UTC. Raises: Refused."""
        return self.clock(house.settings)

    def clock(self, settings: Settings) -> datetime:
        """The machine's clock; EWARN_NOW scripts it where the standing is exercise or test. Raises: Refused."""
        scripted = self.environ.get("EWARN_NOW")
        if not scripted:
            return datetime.now(UTC)
        if settings.standing.value == "actual":
            raise Refused(
                "EWARN_NOW is set, but this home is not an exercise: the clock of a live service is never scripted",
                where=str(settings.home),
                next_step='Unset EWARN_NOW, or use a home whose ewarn.toml says standing = "exercise" or "test".',
            )
        return instant(scripted, "EWARN_NOW")

    def actor(self, person: str, secret_file: Path | None) -> Actor:
        """Who acts, with the secret that proves it."""
        from ewarn.pipeline.reports import Actor

        return Actor(person, secret_of(person, secret_file, self.out))

    def keeper(self, person: str | None, secret_file: Path | None) -> Actor | None:
        """Who keeps the lists of people and recipients; nobody while a home is set up."""
        return None if person is None else self.actor(person, secret_file)


def instant(text: str, option: str = "--as-of") -> datetime:
    """An instant in UTC. A date is 23:59:59 that day; a time without zone is Europe/London. Raises: UsageFault."""
    from ewarn.terms import LONDON, day_end

    try:
        if len(text.strip()) <= 10:
            return day_end(date.fromisoformat(text.strip()))
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageFault(
            f"'{text}' is not a time", where=option,
            next_step="Write 2025-03-03, 2025-03-03T21:00 (Europe/London) or 2025-03-03T21:00:00+00:00.",
        ) from None  # fmt: skip
    return (at.replace(tzinfo=LONDON) if at.tzinfo is None else at).astimezone(UTC)


def day(text: str, option: str) -> date:
    """A Europe/London day. Raises: UsageFault."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageFault(f"'{text}' is not a date", where=option, next_step="Write it as 2025-03-03.") from None


def bytes_of(file: Path) -> bytes:
    """A file that somebody names. Raises: UsageFault."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageFault(
            f"the file cannot be read: {error.strerror}", where=str(file), next_step="Name a readable file."
        ) from error


def secret_of(person: str, secret_file: Path | None, out: Output) -> str:
    """The secret of a person from a file, a hidden prompt, or one line of stdin where that is no terminal."""
    if secret_file is not None:
        try:
            if secret_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                out.say(f"note: {secret_file} can be read by others; chmod 600 it")
            secret = secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            word = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageFault(
                f"the secret file cannot be read: {word}", where=str(secret_file), next_step="Name a readable file."
            ) from error
    elif sys.stdin.isatty():
        import getpass

        secret = getpass.getpass(f"Secret of {person}: ", stream=out.stderr)
    else:
        secret = sys.stdin.readline().strip()
    if not secret:
        raise UsageFault(
            f"no secret given for {person}", where="--as",
            next_step="Type it at the prompt, or name a file with --secret-file.",
        )  # fmt: skip
    return secret


def call_of(ctx: typer.Context) -> Call:
    call = ctx.find_root().obj
    assert isinstance(call, Call)
    return call


def absorb(ctx: typer.Context, home: Path | None, content: Path | None, as_json: bool) -> Call:
    """Take the shared options where they were given; the later place wins."""
    call = call_of(ctx)
    call.home, call.content = home or call.home, content or call.content
    call.out.as_json = call.out.as_json or as_json
    given = (("--home", call.home), ("--content", call.content))
    call.out.call = " ".join([program(), *(f"{name} {shlex.quote(str(path))}" for name, path in given if path)])
    return call


def command(app: typer.Typer, name: str, **extra: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function whose first parameter is a `Call` as a command that also takes the shared options."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        app.command(name, **extra)(with_shared_options(function))
        return function

    return register


def group(app: typer.Typer, panel: str, name: str, words: str, bare: Callable[..., Any] | None = None) -> typer.Typer:
    """A command group; `bare` is what the group's name alone does (None: shows its help)."""
    made = typer.Typer(help=words, no_args_is_help=bare is None, invoke_without_command=bare is not None)

    def enter(call: Call, ctx: typer.Context) -> Any:
        if bare is not None and ctx.invoked_subcommand is None:
            return bare(call)
        return None

    made.callback(invoke_without_command=bare is not None)(with_shared_options(enter, takes_context=True))
    app.add_typer(made, name=name, rich_help_panel=panel)
    return made


def with_shared_options(function: Callable[..., Any], takes_context: bool = False) -> Callable[..., Any]:
    signature = inspect.signature(function, eval_str=True)
    own = [p for p in list(signature.parameters.values())[1:] if p.annotation is not typer.Context]

    def wrapper(ctx: typer.Context, home: Path | None, content: Path | None, as_json: bool, **rest: Any) -> Any:
        call = absorb(ctx, home, content, as_json)
        return function(call, ctx, **rest) if takes_context else function(call, **rest)

    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("home", keyword, default=None, annotation=HomeOption),
        inspect.Parameter("content", keyword, default=None, annotation=ContentOption),
        inspect.Parameter("as_json", keyword, default=False, annotation=JsonOption),
    ]
    context = inspect.Parameter("ctx", keyword, annotation=typer.Context)
    parameters = [context, *(p.replace(kind=keyword) for p in own), *shared]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    wrapper.__name__, wrapper.__doc__ = function.__name__, function.__doc__
    return wrapper
