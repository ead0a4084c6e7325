"""What holds for every command: documented, one JSON document, shared options before and after its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ewarn.cli.app import build

# One harmless call of every command; those that name something absent must fail as one JSON document too.
CALLS: dict[str, list[str]] = {
    "intake": ["--source", "test_results"],
    "rebuild": [],
    "notice add": ["--text", "Drug alert: metonitazene in Camden", "--dry-run"],
    "rejects list": [],
    "rejects replay": [],
    "names list": [],
    "names suggest": ["metonitazane"],
    "names set": ["nonsense", "no-such-substance"],
    "names dismiss": [" "],
    "names undo": ["nonsense"],
    "detect": ["--dry-run", "--as-of", "2025-03-03"],
    "backtest": ["--from", "2025-03-01", "--to", "2025-03-02"],
    "explain": ["ffffffff"],
    "counts": ["--from", "2025-01-01", "--to", "2025-03-02", "--area", "Camden"],
    "cases list": [],
    "cases show": ["TST-2025-0001"],
    "cases grade": ["TST-2025-0001", "--grade", "high", "--as", "nobody"],
    "cases verify": ["TST-2025-0001", "--event", "confirmed", "--as", "nobody"],
    "cases assign": ["TST-2025-0001", "--owner", "duty", "--due", "2025-11-24T12:00", "--as", "nobody"],
    "cases link": ["TST-2025-0001", "ffff", "--why", "x", "--as", "nobody"],
    "links list": [],
    "links confirm": ["ffff", "--why", "x", "--as", "nobody"],
    "links reject": ["ffff", "--why", "x", "--as", "nobody"],
    "links add": ["ffff", "eeee", "--why", "x", "--as", "nobody"],
    "cases close": ["TST-2025-0001", "--closed-as", "artefact", "--note", "x", "--as", "nobody"],
    "cases merge": ["TST-2025-0001", "--with", "TST-2025-0002", "--why", "x", "--as", "nobody"],
    "cases split": ["TST-2025-0001", "--signal", "ffff", "--why", "x", "--as", "nobody"],
    "cases move": ["TST-2025-0001", "ffff", "--to", "TST-2025-0002", "--why", "x", "--as", "nobody"],
    "cases lead": ["TST-2025-0001", "--area", "Camden", "--why", "x", "--as", "nobody"],
    "cases outcome": ["TST-2025-0001", "--outcome", "formal alert", "--why", "x", "--as", "nobody"],
    "cases note": ["TST-2025-0001", "--text", "x", "--as", "nobody"],
    "tests list": [],
    "tests ask": ["TST-2025-0001", "--sample", "x", "--laboratory", "y", "--as", "nobody"],
    "tests answer": ["TST-2025-0001/T1", "--result", "x", "--as", "nobody"],
    "reports list": ["--waiting"],
    "reports add": ["--what", "x", "--origin", "first-hand"],
    "reports show": ["R-0000-0000"],
    "reports redact": ["R-0000-0000", "--text", "x", "--as", "nobody"],
    "reports hoax": ["R-0000-0000", "--why", "x", "--as", "nobody"],
    "reports join": ["R-0000-0000", "--case", "new", "--as", "nobody"],
    "reports answer": ["R-0000-0000", "--told", "x", "--as", "nobody"],
    "draft": ["TST-2025-0001", "--as", "nobody"],
    "edit": ["TST-2025-0001/A1", "--set", "a=b", "--as", "nobody"],
    "submit": ["TST-2025-0001/A1", "--as", "nobody"],
    "approve": ["TST-2025-0001/A1", "--hash", "00", "--as", "nobody"],
    "update": ["TST-2025-0001/A1", "--as", "nobody"],
    "stand-down": ["TST-2025-0001/A1", "--as", "nobody"],
    "withdraw": ["TST-2025-0001/A1", "--why", "x", "--as", "nobody"],
    "alerts list": [],
    "alerts show": ["TST-2025-0001/A1"],
    "alerts export": ["TST-2025-0001/A1", "--format", "flyer"],
    "advice status": [],
    "lint": ["TST-2025-0001/A1"],
    "override": ["TST-2025-0001/A1", "--reason", "x", "--as", "nobody"],
    "publish-count": ["TST-2025-0001/A1", "--figure", "x", "--reason", "x", "--as", "nobody"],
    "photo attach": ["TST-2025-0001/A1", "--file", "no-such.jpg", "--alt", "x", "--as", "nobody"],
    "photo remove": ["TST-2025-0001/A1", "--as", "nobody"],
    "photo release": ["TST-2025-0001/A1", "--reason", "x", "--as", "nobody"],
    "photo purge": ["TST-2025-0001/A1", "--reason", "x", "--as", "nobody"],
    "release": [
        *("TST-2025-0001", "--source", "test_results", "--to", "TLP:GREEN", "--reason", "x"),
        *("--by-originator", "x", "--as", "nobody"),
    ],
    "export regional": ["--since", "2025-02-01", "--until", "2025-01-01", "--out", "no-such"],
    "feeds write": [],
    "keys list": [],
    "keys make": [],
    "keys publish": [],
    "keys retire": ["no-such-key"],
    "keys rotate": [],
    "requeue": ["ffff", "--reason", "x", "--as", "nobody"],
    "verify": ["no-such-file.xml"],
    "pack": ["-o", "no-such-folder/pack.zip"],
    "send": [],
    "receipts": [],
    "answers collect": [],
    "matrix": ["--since", "2025-01-01"],
    "nudge": [],
    "bounces list": [],
    "bounces mailbox": [],
    "bounces read": ["no-such-folder"],
    "canary": [],
    "all-quiet": [],
    "people add": ["a.test", "--name", "A", "--role", "panel", "--area", "E12000007"],
    "people deactivate": ["a.test"],
    "people list": [],
    "people sign-out": ["a.test"],
    "recipients add": ["x", "--name", "X", "--channel", "no-such-channel", "--area", "E12000007"],
    "recipients list": [],
    "recipients import": ["no-such-file.csv"],
    "recipients export": [],
    "recipients rejects": [],
    "recipients history": ["no-such"],
    "recipients confirm": ["no-such"],
    "recipients due": ["--within", "7"],
    "recipients request": ["no-such"],
    "recipients stop": ["no-such"],
    "recipients resume": ["no-such"],
    "contacts test start": ["--as", "nobody"],
    "contacts test report": ["TST-CT-2025-0001"],
    "contacts test list": [],
    "exercise list": [],
    "exercise start": ["camden-evening", "--as", "nobody"],
    "exercise scorecard": ["TST-EX-2025-0001"],
    "routes list": [],
    "routes explain": ["TST-2025-0001/A1", "--at", "2025-11-22T03:00"],
    "duty list": [],
    "duty ack": ["ffff", "--as", "nobody"],
    "init": [],
    "check": [],
    "status": [],
    "dealt-with": ["ffff", "--as", "nobody"],
    "doctor": [],
    "backup": [],
    "purge": [],
    "restore": ["no-such-file.zip"],
}
ELSEWHERE = {
    "demo": "test_demo",
    "evaluate": "test_evaluate",
    "desk": "serves until stopped",
    "answers serve": "serves until stopped",
}
MUST_FAIL = {
    "explain", "cases show", "draft", "approve", "update", "stand-down", "withdraw", "names set", "names dismiss",
    "names undo", "recipients import", "restore", "duty ack", "dealt-with",
}  # fmt: skip


def leaves(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        here = f"{path} {name}".strip()
        if getattr(child, "commands", None):
            yield from leaves(child, here)
        else:
            yield here, child


COMMANDS = dict(leaves(typer.main.get_command(build())))


def test_every_command_is_called_here_or_elsewhere() -> None:
    assert set(COMMANDS) == set(CALLS) | set(ELSEWHERE)


@pytest.mark.parametrize("name", list(CALLS))
def test_json_is_one_document_and_nothing_else(
    name: str, shared_home: Path, content: Path, knock: Callable[..., Any], tmp_path: Path
) -> None:
    words = [*name.split(), *CALLS[name], *([str(tmp_path / "b.zip")] if name == "backup" else [])]
    answer = knock(*words, "--json", "--home", str(shared_home), "--content", str(content), stdin="a-long-secret-1\n")
    assert isinstance(answer.document, dict), answer.out
    assert answer.status in range(7)
    assert ("error" in answer.document) == (answer.status >= 2), (answer.status, answer.out, answer.err)
    if name in MUST_FAIL:
        assert answer.status >= 2
        assert answer.document["error"]["what"]
    assert "Traceback" not in answer.err
    assert "unexpected" not in answer.err, answer.err


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_names_the_shared_options(name: str, knock: Callable[..., Any]) -> None:
    answer = knock(*name.split(), "--help")
    assert answer.status == 0
    assert all(option in answer.out for option in ("--home", "--content", "--json"))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_and_option_is_documented(name: str, root: Path) -> None:
    text = (root / "docs" / "how-to" / "commands.md").read_text()
    assert re.search(rf"^### ewarn {re.escape(name)}$", text, re.M), (
        f"docs/how-to/commands.md has no '### ewarn {name}'"
    )
    section = text.split(f"### ewarn {name}\n", 1)[1].split("\n### ", 1)[0]
    assert f"ewarn {name}" in section, f"'ewarn {name}' has no example"
    for parameter in COMMANDS[name].params:
        for option in (o for o in parameter.opts if o.startswith("--") and o != "--help"):
            assert option in text, f"docs/how-to/commands.md does not name {option} of {name}"


def test_documented_commands_exist(root: Path) -> None:
    text = (root / "docs" / "how-to" / "commands.md").read_text()
    assert set(re.findall(r"^### ewarn (.+)$", text, re.M)) == set(COMMANDS)
