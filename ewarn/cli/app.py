"""The command tree, and the one place where faults become words and exit statuses.

Exit status: 0 done (signals or not), 1 part failed, 2 usage, 3 content fault, 4 nothing usable or quarantined,
5 store busy, 6 refused. A fault with a remedy shows no traceback; an unexpected one is written to HOME/log/ewarn.log.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from ewarn.cli import (
    alert_commands,
    answer_commands,
    case_commands,
    check_commands,
    contact_commands,
    detect_commands,
    evaluate_commands,
    exercise_commands,
    house_commands,
    intake_commands,
    keeping_commands,
    link_commands,
    machine_commands,
    name_commands,
    notice_commands,
    pack_commands,
    people_commands,
    photo_commands,
    recipient_commands,
    report_commands,
    route_commands,
)
from ewarn.cli.hints import program
from ewarn.cli.options import Call, ContentOption, HomeOption, JsonOption, absorb, call_of
from ewarn.cli.output import Output
from ewarn.errors import EwarnError

ROOMS = (
    intake_commands,
    name_commands,
    notice_commands,
    report_commands,
    detect_commands,
    evaluate_commands,
    case_commands,
    link_commands,
    alert_commands,
    photo_commands,
    check_commands,
    route_commands,
    answer_commands,
    people_commands,
    recipient_commands,
    contact_commands,
    exercise_commands,
    house_commands,
    keeping_commands,
    pack_commands,
    machine_commands,
)
WORDS = """Early warning for emerging drugs: bytes in, warning out; every figure traceable; a person decides.

Start with `ewarn demo`, or with `ewarn init` and `ewarn intake`.

Exit status: 0 done, 1 part failed, 2 usage, 3 content fault, 4 nothing usable, 5 store busy, 6 refused."""


def build(words: Sequence[str] = ()) -> typer.Typer:
    """The command tree: every group in it, or the one alone that the words of a call name."""
    app = typer.Typer(name="ewarn", help=WORDS, no_args_is_help=True, pretty_exceptions_enable=False)

    @app.callback()
    def root(
        ctx: typer.Context,
        home: HomeOption = None,
        content: ContentOption = None,
        as_json: JsonOption = False,
        version: Annotated[
            bool, typer.Option("--version", callback=_version, help="Print the version and stop.", is_eager=True)
        ] = False,
    ) -> None:
        absorb(ctx, home, content, as_json)

    for room in ROOMS:
        room.register(app)
    _leave(app, _asked_for(words))
    return app


def _asked_for(words: Sequence[str]) -> str:
    """The first word that is no option of the root and no option's value."""
    left = iter(words)
    for word in left:
        if word in ("--home", "--content"):
            next(left, "")
        elif not word.startswith("-"):
            return word
    return ""


def _leave(app: typer.Typer, name: str) -> None:
    """Only the command of that name, where there is one: to prepare all the others takes longer than to import them."""
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if one.name == name]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def run(argv: Sequence[str] | None = None) -> int:
    """One command from words to exit status. With --json stdout carries one JSON document whatever happens."""
    words = list(sys.argv[1:] if argv is None else argv)
    own = words[: words.index("--")] if "--" in words else words
    out = Output("--json" in own)
    call = Call(out)
    out.call = program()
    try:
        if not out.as_json:
            return _status(build(words)(args=words, prog_name="ewarn", standalone_mode=False, obj=call))
        with redirect_stdout(out.stderr):
            return _status(build(words)(args=words, prog_name="ewarn", standalone_mode=False, obj=call))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except EwarnError as error:
        out.error(error)
        return error.exit_status
    except (KeyboardInterrupt, EOFError, typer.Abort):
        out.fault("stopped before it was done", next_step="Run it again; nothing half done was kept.", status=130)
        return 130
    except Exception as error:
        return _unexpected(error, call)
    finally:
        if out.as_json and not out.answered:
            out.document({})


def _status(result: Any) -> int:
    return result if isinstance(result, int) else 0


def _version(ctx: typer.Context, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        words = version("ewarn")
        call_of(ctx).out.answer({"version": words}, lambda console: console.print(f"ewarn {words}"))
        raise typer.Exit


def _unexpected(error: Exception, call: Call) -> int:
    words = getattr(error, "format_message", None)
    if words is not None:  # the option parser's own faults
        return _usage(error, str(words()), call.out)
    log = _write_log(call)
    call.out.fault(
        f"something unexpected happened: {type(error).__name__}",
        where=f"{log} holds the details",
        next_step="Run `ewarn doctor`; if it happens again, report it with that file.",
    )
    return 1


def _usage(error: Exception, message: str, out: Output) -> int:
    ctx = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        out.stderr.write(message + "\n")
        if out.as_json:
            out.document(
                {"error": {"what": "no command given", "where": "ewarn", "next": "ewarn --help", "exit_status": 2}}
            )
        return 2
    path = ctx.command_path if ctx is not None else "ewarn"
    plain_call = f"{program()} {path.partition(' ')[2]}".strip()
    out.fault(message, where=path, next_step=f"See `{plain_call} --help`.", status=2)
    return 2


def _write_log(call: Call) -> Path:
    import tempfile
    import traceback
    from datetime import UTC, datetime

    home = call.home or Path(call.environ.get("EWARN_HOME") or "")
    if not home.name:
        from ewarn.settings import PACKAGE_CHECKOUT

        home = PACKAGE_CHECKOUT / "var" / "ewarn"
    parts = []
    error = sys.exception()
    while error is not None:  # places and kinds alone: the words of an error can quote a row
        frames = traceback.extract_tb(error.__traceback__)
        places = "".join(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)
        parts.append(f"{type(error).__module__}.{type(error).__name__}\n{places}")
        error = error.__cause__ or error.__context__
    entry = f"{datetime.now(UTC).isoformat()} pid {os.getpid()}\n{''.join(parts)}\n"
    for folder in (home / "log", Path(tempfile.gettempdir()) / f"ewarn-{os.getuid()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(folder / "ewarn.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as log:
                log.write(entry)
            return folder / "ewarn.log"
        except OSError:
            continue
    return Path(os.devnull)
