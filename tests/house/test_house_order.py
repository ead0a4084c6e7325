"""What is committed, and what must never be: code among content, locks of other tools, places of one machine."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LARGEST_BYTES = 1_500_000
LONGEST_MODULE = 400
MADE = ("var/", ".venv/", "dist/", "__pycache__/")


@cache
def tracked() -> tuple[Path, ...]:
    """Every committed file; outside a checkout, every file that is not made by use."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(p for p in found if not any(part in f"{p.relative_to(ROOT)}" for part in (*MADE, ".git/", "_cache/")))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_content_holds_no_python() -> None:
    inside = [name(p) for p in tracked() if p.relative_to(ROOT).parts[0] in ("sources", "alerts")]
    assert inside
    assert [n for n in inside if not n.endswith((".toml", ".csv", ".md"))] == []


def test_nothing_that_use_makes_is_committed() -> None:
    assert [name(p) for p in tracked() if any(part in f"{name(p)}" for part in MADE)] == []


def test_no_other_tools_lock_is_committed() -> None:
    others = {"uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json", "pdm.lock"}
    assert [name(p) for p in tracked() if p.name in others] == []


def test_no_file_is_large() -> None:
    assert [name(p) for p in tracked() if p.stat().st_size > LARGEST_BYTES] == []


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a registry", r"https?://[^\s\"']*(?:pypi|pythonhosted|artifactory|devpi|/simple/)|--(?:extra-)?index-url"),
        ("a place on one machine", r"(?<![\w.:/*-])/(?:work|home|Users)/[A-Za-z]"),
    ],
)
def test_no_file_names(what: str, pattern: str) -> None:
    found = [name(p) for p in tracked() if re.search(pattern, text_of(p)) and p.name != Path(__file__).name]
    assert found == [], what


def test_modules_are_short_enough_to_read() -> None:
    code = [p for p in tracked() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ("ewarn", "flows")]
    assert [name(p) for p in code if len(text_of(p).splitlines()) > LONGEST_MODULE] == []


def test_flow_modules_are_named_unlike_any_other() -> None:
    ours = {p.stem for p in (ROOT / "flows").glob("*.py")} - {"__init__"}
    others = {p.stem for p in (ROOT / "ewarn").rglob("*.py")} | {p.name for p in (ROOT / "ewarn").iterdir()}
    assert ours & (others - {"serve"}) == set()


def pins(file: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._\[\]-]+==[^\s\\;]+)", (ROOT / "requirements" / file).read_text(), re.MULTILINE))


def test_the_development_lock_holds_the_run_lock() -> None:
    """So that `make test` after `make demo` only adds what is missing, and the other way round changes nothing."""
    assert pins("run.txt") <= pins("dev.txt")


def test_every_locked_package_has_a_hash() -> None:
    for file in ("run.txt", "dev.txt"):
        entries = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements" / file).read_text())
        assert [e.split()[0] for e in entries if "==" in e and "--hash=sha256:" not in e] == []


@pytest.mark.parametrize("target", ["demo", "test", "check", "serve", "bench"])
def test_the_makefile_has_its_targets(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_a_python_that_is_too_old_is_one_plain_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "demo", f"PYTHON={old}", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1 and said[0].startswith("ewarn needs Python 3.11 or newer")


@pytest.mark.parametrize("file", ["run.txt", "dev.txt"])
def test_sqlalchemy_stays_below_the_version_that_stops_the_scheduler(file: str) -> None:
    """Under 2.1 Prefect schedules nothing. pip's hash mode needs the pin with the extra as well as without it."""
    assert {p.split("==2.0.")[0] for p in pins(file) if p.startswith("sqlalchemy")} == {
        "sqlalchemy",
        "sqlalchemy[asyncio]",
    }
