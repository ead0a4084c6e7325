"""A door to knock at: the command line run in this process over a home of its own, with content of its own."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ewarn.cli import main

CLOSED_FEED = """
title = "A feed nobody answers"
publisher = "Test"
licence = "none"
cadence = "never"
personal_data = "none"
url = "http://127.0.0.1:9/feed.atom"
timeout_seconds = 2
"""


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """stdout as the one JSON document it must be."""
        return json.loads(self.out)


@dataclass
class Door:
    home: Path
    content: Path
    knock: Callable[..., Answer]

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        return self.knock("--home", str(self.home), "--content", str(self.content), *words, stdin=stdin)


@pytest.fixture
def knock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    for name in ("EWARN_HOME", "EWARN_CONTENT", "EWARN_NOW", "EWARN_STANDING"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, stdin: str = "") -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        status = main(words)
        said = capsys.readouterr()
        return Answer(status, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def content(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own content with one feed, which nobody answers: no test here reaches a network."""
    folder = tmp_path_factory.mktemp("content")
    for name in ("sources", "alerts"):
        shutil.copytree(root / name, folder / name)
    for feed in (folder / "sources" / "feeds").glob("*.toml"):
        feed.unlink()
    (folder / "sources" / "feeds" / "closed.toml").write_text(CLOSED_FEED)
    return folder


def make_home(folder: Path, standing: str = "test") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ewarn.toml").write_text(
        f'issuer = "TST"\nstanding = "{standing}"\nallow_loopback_sources = true\nlock_timeout_seconds = 0.3\n'
    )
    return folder


@pytest.fixture
def door(tmp_path: Path, content: Path, knock: Callable[..., Answer]) -> Door:
    """A fresh home whose standing is test."""
    return Door(make_home(tmp_path / "home"), content, knock)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for a whole module of questions that change nothing."""
    return make_home(tmp_path_factory.mktemp("module") / "home")
