"""Every rule file does what its examples say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewarn import catalogue as catalogues
from ewarn.rules import examples

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted(path.stem for path in (ROOT / "alerts" / "rules").glob("*.toml"))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_does_what_its_examples_say(rule: str, root: Path) -> None:
    catalogue = catalogues.load(root)
    assert examples.faults(catalogue.rules[rule], catalogue) == []


def test_every_method_has_a_rule(root: Path) -> None:
    methods = {rule.method for rule in catalogues.load(root).rules.values()}
    assert methods == {
        "first",
        "window",
        "missold",
        "ears",
        "farrington",
        "notice",
        "unknown_name",
        "silence",
        "batch",
        "combination",
        "potency",
        "ladder",
        "sparse",
    }
