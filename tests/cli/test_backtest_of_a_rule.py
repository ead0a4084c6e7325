"""A rule tried before it is switched on: from a file, though disabled, and with its figures kept in its own file."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

DAYS = ("--from", "2025-05-01", "--to", "2025-05-31")
RULE = """
title = "First sedative adulterant in a borough"   # tried before it is taken in
family = "first detection"
method = "first"
tiers = ["borough"]
subjects = "substance"
classes = ["sedative-adulterant"]
kinds = ["sample"]
why = "One laboratory row is enough: the number of samples is small."
known_false_alarms = ["A laboratory that starts to look for it."]

[numbers]
back_days = 365

[[example]]
title = "One row"
rows = [{ day = 0, substance = "xylazine" }]
as_of_day = 1
fires = true

[[example]]
title = "Another substance"
rows = [{ day = 0, substance = "cocaine" }]
as_of_day = 1
fires = false
"""


@pytest.fixture
def own(door: Any, content: Path, tmp_path: Path) -> Any:
    """A home with one xylazine sample and content of its own, to be written to."""
    door.content = tmp_path / "content"
    shutil.copytree(content, door.content)
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "sample_ref,laboratory,stream,date_sampled,date_reported,place,sold_as,major,test_type\n"
        "X1,Lab,drug checking,2025-05-10,2025-05-12,NW1,heroin,xylazine,confirmatory\n"
    )
    assert door("intake", "--source", "test_results", "--file", str(rows), "--backfill").status == 0
    return door


def test_a_rule_in_a_file_is_tried_and_its_figures_are_kept_in_it(own: Any, tmp_path: Path) -> None:
    draft = tmp_path / "sedative-draft.toml"
    draft.write_text(RULE)
    known = tmp_path / "known.toml"
    known.write_text('[[episode]]\nname = "Xylazine in Camden"\ndate = 2025-05-10\nsubstance = "xylazine"\n')
    words = ("backtest", *DAYS, "--rule-file", str(draft), "--episodes", str(known))
    found = own(*words, "--json").document
    assert [s["rule"] for s in found["signals"]] == ["sedative-draft"] and found["kept_in"] == ""
    assert (found["lead_times"][0]["days"], found["confirmed_share"], found["load"]["kept"]) == (2, 1.0, True)
    kept = own(*words, "--keep")
    assert kept.status == 0 and str(draft) in kept.out.replace("\n", "")
    text = draft.read_text()
    assert "# tried before it is taken in" in text
    table = tomllib.loads(text)["backtest"]
    assert table["lead_days"] == {"Xylazine in Camden": 2} and table["signals_per_week"] == pytest.approx(0.226)
    assert own(*words, "--keep").status == 0 and draft.read_text().count("[backtest]") == 1
    shutil.copy(draft, own.content / "alerts" / "rules" / "sedative-draft.toml")
    assert own("check").status == 0, "the file with its figures is a rule"


def test_a_rule_that_is_switched_off_is_tried_by_its_id_and_asks_nothing_otherwise(own: Any) -> None:
    own.content.joinpath("alerts", "rules", "sedative.toml").write_text("enabled = false\n" + RULE)
    assert len(own("backtest", *DAYS, "--rule", "sedative", "--json").document["signals"]) == 1
    assert "sedative" not in {s["rule"] for s in own("backtest", *DAYS, "--json").document["signals"]}
    assert own("detect", "--rule", "sedative", "--json").document["signals"] == []
    assert own("backtest", *DAYS, "--rule", "sedative", "--keep").status == 0
    kept = tomllib.loads((own.content / "alerts" / "rules" / "sedative.toml").read_text())
    assert kept["enabled"] is False and kept["backtest"]["pages_per_week"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ("--keep",),
        ("--rule", "silence", "--rule-file", "x.toml"),
        ("--rule-file", "/nowhere.toml"),
        ("--episodes", "/nowhere.toml"),
        ("--rule", "silence", "--area", "E09000007", "--keep"),
    ],
)
def test_what_makes_no_sense_is_a_usage_fault(door: Any, words: tuple[str, ...]) -> None:
    answer = door("backtest", *DAYS, *words)
    assert answer.status == 2 and "next:" in answer.err


def test_a_file_that_is_no_rule_says_which_keys_are_wrong(door: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('title = "x"\nmethod = "guess"\n')
    answer = door("backtest", *DAYS, "--rule-file", str(tmp_path / "bad.toml"))
    assert answer.status == 3 and "method" in answer.err
