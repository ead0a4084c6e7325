"""The import contracts of pyproject.toml hold without exceptions, and each of them fails when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

# (contract, module to plant, what it says). Every contract has at least one; several have one for each thing they say,
# of which the first is planted each time and the others in the long run.
PLANTS = [
    ("layers", "ewarn/rules/planted.py", "import ewarn.store"),
    ("layers", "ewarn/terms_planted/__init__.py", ""),
    ("layers", "ewarn/errors.py", "import ewarn.terms"),
    ("layers", "ewarn/assess/planted.py", "import ewarn.pipeline"),
    ("doors", "ewarn/desk/planted.py", "import ewarn.store"),
    ("doors", "ewarn/cli/planted.py", "import ewarn.dispatch"),
    ("doors", "flows/planted.py", "import ewarn.rules"),
    ("answers", "ewarn/answers/planted.py", "import ewarn.pipeline"),
    ("prefect", "ewarn/pipeline/planted.py", "import prefect"),
    ("prefect", "ewarn/desk/planted.py", "import flows"),
    ("duckdb", "ewarn/desk/planted.py", "import duckdb"),
    ("duckdb", "flows/planted.py", "import duckdb"),
    ("apprise", "ewarn/review/planted.py", "import apprise"),
    ("pure", "ewarn/rules/planted.py", "import httpx"),
    ("pure", "ewarn/assess/planted.py", "import urllib.request"),
    ("pure", "ewarn/rules/planted.py", "import duckdb"),
]


def lint(folder: Path, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    words = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(
        [*words, *(["--contract", contract] if contract else [])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package tree, to be spoilt."""
    for name in ("ewarn", "flows"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_contracts() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_no_contract_has_an_exception() -> None:
    assert [c["id"] for c in CONTRACTS if c.get("ignore_imports") or c.get("unmatched_ignore_imports_alerting")] == []


def test_layers_are_exhaustive() -> None:
    assert [c["exhaustive"] for c in CONTRACTS if c["type"] == "layers"] == [True]


def test_every_contract_is_put_to_the_proof() -> None:
    assert {contract for contract, _, _ in PLANTS} == {c["id"] for c in CONTRACTS}


FIRST = [next(plant for plant in PLANTS if plant[0] == contract["id"]) for contract in CONTRACTS]


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [plant if plant in FIRST else pytest.param(*plant, marks=pytest.mark.slow) for plant in PLANTS],
)
def test_a_contract_bites(copy: Path, contract: str, module: str, line: str) -> None:
    """What is copied keeps its contracts, as the first test here shows."""
    name = next(c["name"] for c in CONTRACTS if c["id"] == contract)
    planted = copy / module
    planted.parent.mkdir(exist_ok=True)
    planted.write_text((planted.read_text() if planted.exists() else "") + f"\n{line}\n")
    done = lint(copy, contract)
    assert done.returncode != 0
    assert "BROKEN" in done.stdout
    assert name.split(":")[0][:40] in " ".join(done.stdout.split())
