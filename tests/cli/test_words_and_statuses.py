"""Options in either place, exit statuses 0 to 6, faults without tracebacks, secrets, times and the scripted clock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from filelock import FileLock

from ewarn.cli import options
from ewarn.cli.app import build
from ewarn.cli.output import Output, clean
from ewarn.errors import UsageFault

TESTS_CSV = (
    "sample_ref,laboratory,stream,date_sampled,date_reported,place,area_code,sold_as,form,major,test_type\n"
    "T-1,Test lab,drug-checking,2025-02-01,2025-02-08,Camden,E09000007,heroin,powder,metonitazene,confirmatory\n"
    "T-2,Test lab,drug-checking,2025-02-02,2025-02-08,Camden,E09000007,heroin,powder,heroin,confirmatory\n"
)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    file = tmp_path / "results.csv"
    file.write_text(TESTS_CSV)
    return file


def test_options_count_before_and_after_the_name(content: Path, knock: Callable[..., Any], tmp_path: Path) -> None:
    shared = ["--json", "--home", str(tmp_path / "h"), "--content", str(content)]
    before, after = knock(*shared, "cases", "list"), knock("cases", "list", *shared)
    between = knock("cases", *shared, "list")
    assert before.document == between.document == after.document
    assert before.document["cases"] == []


def test_the_later_home_wins(content: Path, knock: Callable[..., Any], tmp_path: Path) -> None:
    knock("--home", str(tmp_path / "a"), "--content", str(content), "init", "--home", str(tmp_path / "b"))
    assert (tmp_path / "b").is_dir()
    assert not (tmp_path / "a").exists()


def test_0_when_done_and_home_is_made(door: Any, csv_file: Path) -> None:
    answer = door("intake", "--file", str(csv_file), "--source", "test_results", "--backfill", "--json")
    assert answer.status == 0, answer.err
    (source,) = answer.document["sources"]
    assert (source["records"], source["new"], source["rejects"], source["detections"]) == (2, 2, 0, 2)
    assert {"source", "snapshot", "changed", "unchanged", "queued"} <= set(source)
    again = door("intake", "--file", str(csv_file), "--source", "test_results", "--backfill", "--json")
    assert again.status == 0
    assert again.document["sources"][0]["unchanged"] == 2


def test_1_when_a_part_failed(door: Any) -> None:
    folder = door.home / "drops" / "test_results"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(TESTS_CSV)
    old = time.time() - 60
    os.utime(folder / "a.csv", (old, old))
    answer = door("intake", "--json")
    assert answer.status == 1, (answer.out, answer.err)
    outcomes = {s["source"]: s["error"] for s in answer.document["sources"]}
    assert outcomes["closed"] and not outcomes["test_results"]


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["detect", "--as-of", "yesterday"], ["backtest"], ["intake", "--source", "nobody"],
     ["backtest", "--from", "2025-02-01", "--to", "2025-01-01"], ["detect", "--area", "E99999999"]],
)  # fmt: skip
def test_2_when_the_words_are_off(door: Any, words: list[str]) -> None:
    answer = door(*words, "--json")
    assert answer.status == 2
    assert answer.document["error"]["exit_status"] == 2
    assert "Traceback" not in answer.err


def test_3_names_every_content_fault(door: Any) -> None:
    for name, text in (("one", 'title = "x"\n'), ("two", "not toml")):
        file = door.home / "content" / "sources" / "feeds" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    refused = door("status", "--json")
    assert refused.status == 3
    said = str(refused.document["error"])
    assert "one.toml" in said and "two.toml" in said
    checked = door("check", "--json")
    assert checked.status == 3
    assert {Path(f["file"]).name for f in checked.document["faults"]} >= {"one.toml", "two.toml"}


def test_4_when_nothing_usable_came(door: Any, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.csv"
    rubbish.write_bytes(b"\x00\x01<html>not a table</html>")
    assert door("intake", "--file", str(rubbish), "--source", "test_results").status == 4
    assert door("intake", "--source", "closed").status == 4


def test_5_when_another_writer_holds_the_lock(door: Any, csv_file: Path) -> None:
    assert door("init").status == 0
    locks = list(door.home.glob("**/*.lock"))
    assert locks, "the store keeps its lock file in the home"
    with FileLock(locks[0]):
        answer = door("intake", "--file", str(csv_file), "--source", "test_results", "--json")
    assert answer.status == 5, (answer.out, answer.err)
    assert answer.document["error"]["next"]


def test_6_a_live_clock_is_never_scripted(
    content: Path, knock: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "live"
    monkeypatch.setenv("EWARN_NOW", "2025-03-03T18:00:00+00:00")
    answer = knock("status", "--json", "--home", str(home), "--content", str(content))
    assert answer.status == 6
    assert "EWARN_NOW" in answer.document["error"]["what"]


def test_an_exercise_clock_may_be_scripted(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWARN_NOW", "2025-03-03T18:00:00+00:00")
    answer = door("status", "--json")
    assert answer.status == 0, answer.err
    assert answer.document["at"].startswith("2025-03-03T18:00:00")


def test_a_secret_comes_from_a_file_or_a_prompt_and_proves_the_person(door: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("first-secret-of-a\n")
    person = ["people", "add", "a.one", "--name", "A One", "--role", "duty", "--area", "E12000007"]
    assert door(*person, "--secret-file", str(secret)).status == 0
    assert door(*(w.replace("a.one", "b.two") for w in person), stdin="second-secret-of-b\n").status == 0
    listed = door("people", "list", "--json").document["people"]
    assert [p["id"] for p in listed] == ["a.one", "b.two"]
    assert "secret-of" not in str(listed)
    wrong = door("duty", "ack", "ffff", "--as", "a.one", "--json", stdin="not-the-secret\n")
    assert wrong.status == 6, (wrong.out, wrong.err)


def test_no_option_takes_the_secret_itself(door: Any) -> None:
    assert door("submit", "X/A1", "--as", "a.one", "--secret", "hush").status == 2
    assert door("submit", "X/A1", "--as", "a.one").status == 2, "no secret at the prompt is a usage fault"


def test_an_open_secret_file_is_remarked_on(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x\n")
    file.chmod(stat.S_IRUSR | stat.S_IRGRP)
    said = _Memory()
    assert options.secret_of("a", file, Output(False, said, said)) == "x"
    assert "chmod 600" in said.text


class _Memory:
    """A stream that remembers what was written."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-03-03", datetime(2025, 3, 3, 23, 59, 59, tzinfo=UTC)),
        ("2025-07-03", datetime(2025, 7, 3, 22, 59, 59, tzinfo=UTC)),
        ("2025-07-03T21:00", datetime(2025, 7, 3, 20, 0, tzinfo=UTC)),
        ("2025-07-03T21:00:00Z", datetime(2025, 7, 3, 21, 0, tzinfo=UTC)),
        ("2025-07-03T21:00:00+02:00", datetime(2025, 7, 3, 19, 0, tzinfo=UTC)),
    ],
)
def test_times_are_london_unless_they_say_otherwise(text: str, instant: datetime) -> None:
    assert options.instant(text) == instant


@pytest.mark.parametrize("text", ["", "soon", "2025-13-01", "2025-02-30T10:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageFault):
        options.instant(text)


def test_foreign_text_cannot_move_the_cursor() -> None:
    assert "\x1b" not in clean("a\x1b[2Jb\u202ec\n")


def test_the_unexpected_is_one_line_and_a_log(
    knock: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()

    @app.command("boom")
    def boom() -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("ewarn.cli.app.build", lambda words: app)
    monkeypatch.setenv("EWARN_HOME", str(tmp_path / "h"))
    answer = knock()
    log = tmp_path / "h" / "log" / "ewarn.log"
    assert answer.status == 1
    assert "Traceback" not in answer.err and str(log) in answer.err
    assert "ZeroDivisionError" in log.read_text() and "in boom" in log.read_text()
    assert "by accident" not in log.read_text() + answer.err, "the words of an error can quote a row"


def test_help_loads_nothing_heavy() -> None:
    words = "import sys; from ewarn.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.replace("'", "").strip("[]\n").split(", "))
    assert not loaded & {"polars", "duckdb", "prefect", "apprise", "httpx", "pydantic", "feedparser"}


@pytest.mark.parametrize(
    ("words", "prepared"),
    [
        ("detect --rule names", "detect"),
        ("--home cases --json detect", "detect"),
        ("cases list --home detect", "cases"),
    ],
)
def test_a_call_prepares_the_command_it_names_alone(words: str, prepared: str) -> None:
    app = build(words.split())
    assert {one.name for one in [*app.registered_commands, *app.registered_groups]} == {prepared}


@pytest.mark.parametrize("words", ["", "--help", "detct", "--home detect"])
def test_where_no_command_is_named_all_are_prepared(words: str) -> None:
    assert len(build(words.split()).registered_commands) == len(build().registered_commands) > 10


def test_shell_completion_answers() -> None:
    environ = os.environ | {"_EWARN_COMPLETE": "complete_bash", "COMP_WORDS": "ewarn cases sh", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-m", "ewarn.cli"], env=environ, capture_output=True, text=True)
    assert done.stdout.split() == ["show"]


def test_a_closed_pipe_is_no_fault(content: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ewarn.cli", "check", "--home", str(tmp_path), "--content", str(content)]
    done = subprocess.run(f"{' '.join(words)} | true", shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_4_when_every_row_is_rejected_and_again_when_it_comes_again(door: Any, tmp_path: Path) -> None:
    file = tmp_path / "future.csv"
    file.write_text(TESTS_CSV.replace("2025-02-0", "2135-02-0"))
    for _ in range(2):
        answer = door("intake", "--file", str(file), "--source", "test_results", "--json")
        assert answer.status == 4, (answer.out, answer.err)
        (source,) = answer.document["sources"]
        assert (source["records"], source["rejects"]) == (2, 2) and "no row could be used" in source["error"]


def test_a_pipe_is_refused_before_it_is_read(door: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert door("intake", "--file", str(tmp_path / "pipe.csv"), "--json").status == 2


def test_strays_in_the_drop_folders_are_told_to_the_operator(door: Any) -> None:
    folder = door.home / "drops" / "nobody"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text(TESTS_CSV)
    door("intake", "--json")
    notices = door("status", "--json").document["operator_notices"]
    assert any("drops/nobody/x.csv is not read" in notice["text"] for notice in notices)
    shown = next(line for line in door("status").out.splitlines() if line.startswith("notice: "))
    assert shown.split()[1] in {notice["id"][:8] for notice in notices}


def test_hints_can_be_typed_as_they_stand(door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [".venv/bin/ewarn"])
    answer = door("cases", "show", "LDN-2025-0001", "--json")
    called = f".venv/bin/ewarn --home {door.home} --content {door.content} cases list"
    assert called in answer.document["error"]["next"]
    assert called in answer.err


def test_the_version_is_told_wherever_it_is_asked(knock: Callable[..., Any], tmp_path: Path) -> None:
    assert knock("--json", "--home", str(tmp_path), "--version").document == knock("--version", "--json").document


def test_an_archive_that_is_absent_or_broken_says_which(knock: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK")
    home = ["--home", str(tmp_path / "h"), "--json"]
    assert knock("restore", str(tmp_path / "none.zip"), *home).status == 2
    assert knock("restore", str(tmp_path), *home).status == 2
    assert knock("restore", str(tmp_path / "broken.zip"), *home).status == 4
