"""Every command, setting, word and exit status is written down, and every how-to example passes the content check."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click
import pytest
import typer

from ewarn import catalogue, errors, terms
from ewarn.cli.app import build
from ewarn.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = "\n".join(p.read_text() for p in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])
GLOSSARY = (ROOT / "docs" / "GLOSSARY.md").read_text().lower()
WORDS = (
    terms.RecordKind, terms.SubjectKind, terms.MentionKind, terms.Role, terms.Tier, terms.Family, terms.Verification,
    terms.Standing, terms.Product, terms.AlertStatus, terms.DeliveryState, terms.PersonRole, terms.ClosedAs,
)  # fmt: skip
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))


def commands(group: click.Command, before: str = "ewarn") -> list[str]:
    """Every command that does something, as it is typed."""
    inner = getattr(group, "commands", None)
    if not inner:
        return [before]
    return [words for name, command in inner.items() for words in commands(command, f"{before} {name}")]


@pytest.mark.parametrize("command", commands(typer.main.get_command(build())))
def test_every_command_is_documented(command: str) -> None:
    assert command in DOCS


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"`{setting}`" in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("word", sorted({member.value for kind in WORDS for member in kind}))
def test_every_word_stands_in_the_glossary(word: str) -> None:
    assert re.search(rf"\b{re.escape(word)}s?\b", GLOSSARY)


def test_the_glossary_and_the_readme_stay_short() -> None:
    assert len(GLOSSARY.splitlines()) <= 80
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_every_exit_status_is_documented() -> None:
    faults = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.EwarnError)]
    rows = re.findall(r"^\| (\d) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {str(fault.exit_status) for fault in faults} | {"0"} == set(rows)


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("page", HOW_TO, ids=lambda p: p.stem)
def test_a_how_to_example_adds_its_thing_with_one_file(page: Path, tmp_path: Path) -> None:
    for folder in ("sources", "alerts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    before = catalogue.load(tmp_path)
    found = re.search(r"(To )?`((?:sources|alerts)/[^`<]+)`:\n```toml\n(.*?)```", page.read_text(), re.DOTALL)
    assert found is not None
    file = tmp_path / found[2]
    assert bool(found[1]) is file.exists()
    file.write_text((file.read_text() + "\n" if found[1] else "") + found[3])

    assert catalogue.check(tmp_path, None) == []
    after = catalogue.load(tmp_path)
    kinds = ("feeds", "drops", "rules", "substances", "channels")
    grown = {kind: len(getattr(after, kind)) - len(getattr(before, kind)) for kind in kinds}
    assert sorted(grown.values()) == [0, 0, 0, 0, 1]
