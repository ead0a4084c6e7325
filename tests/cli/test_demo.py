"""The demonstration, run once for the module: the corridor from bytes to receipts, an exercise in every output."""

from __future__ import annotations

import email
import email.policy
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ewarn.cli import main
from ewarn.cli.demo import scenario
from ewarn.cli.demo.stage import MARKER

HANGS_AFTER_SECONDS = 300


@dataclass
class Shown:
    home: Path
    document: dict[str, Any]
    err: str


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    home = tmp_path_factory.mktemp("demo") / "home"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("EWARN_")}
    words = [sys.executable, "-m", "ewarn.cli", "demo", "--home", str(home), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environ, timeout=HANGS_AFTER_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return Shown(home, json.loads(done.stdout), done.stderr)


def test_both_alerts_are_issued_on_two_approvals_of_the_exact_text(shown: Shown) -> None:
    assert len(shown.document["alerts"]) == 2
    for alert in shown.document["alerts"]:
        approvers = {a["person"] for a in alert["approvals"]}
        assert approvers == {"demo-a", "demo-b"}
        assert alert["author"] not in approvers
        assert {a["hash"] for a in alert["approvals"]} == {alert["hash"]}


def test_every_delivery_arrived_at_a_real_server(shown: Shown) -> None:
    mails = list((shown.home / "mail").glob("*.eml"))
    hooks = list((shown.home / "webhook").glob("*.json"))
    assert shown.document["deliveries"]["not_sent"] == 0
    assert len(mails) + len(hooks) == shown.document["deliveries"]["sent"]
    assert len(mails) == 4, "two partners, two alerts"
    assert any("duty" in h.name for h in hooks) and any("partners" in h.name for h in hooks)


def test_every_output_says_exercise(shown: Shown) -> None:
    for path in (shown.home / "mail").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        assert "exercise" in str(message["Subject"]).lower()
        assert "exercise" in body.get_content().lower()
    for path in (shown.home / "webhook").glob("*.json"):
        assert "exercise" in path.read_text().lower()
    assert "EXERCISE" in (shown.home / "report.md").read_text()
    assert shown.document["standing"] == "exercise" and shown.document["label"] == scenario.LABEL


def test_the_night_and_the_deaths_are_two_cases_of_camden(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "list", "--json", "--home", str(shown.home)]) == 0
    cases = {c["ref"]: c for c in json.loads(capsys.readouterr().out)["cases"]}
    alerted = [cases[a["case"]] for a in shown.document["alerts"]]
    assert len({c["ref"] for c in alerted}) == 2
    assert {c["lead_area"] for c in alerted} == {scenario.CAMDEN}
    assert {c["standing"] for c in cases.values()} == {"exercise"}


def test_the_fifth_overdose_raises_the_signal_and_pages(shown: Shown) -> None:
    what = [h["what"] for h in shown.document["happened"]]
    assert "A fifth" in what
    after = what[what.index("A fifth") : what.index("Twelve by night, in three places")]
    assert "duty rota paged" in after


def test_what_to_type_next_can_be_typed(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown.document["next"]) == 6
    for line in shown.document["next"]:
        program, *words = shlex.split(line)
        assert shutil.which(program), line
        assert main(words) == 0, capsys.readouterr().err


def test_a_second_demo_makes_its_home_anew_and_a_strangers_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    assert main(["demo", "--home", str(tmp_path)]) == 6
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_the_demo_home_is_marked_and_its_secrets_are_private(shown: Shown) -> None:
    assert (shown.home / MARKER).is_file()
    for file in (shown.home / "secrets").iterdir():
        assert file.stat().st_mode & 0o077 == 0


def test_the_scenario_holds_the_reported_facts() -> None:
    assert len(scenario.COLLAPSES) == 12
    assert len({place for _, place in scenario.COLLAPSES}) == 3
    assert scenario.cluster_report()["persons"] == "33"
    assert {died for died, _ in scenario.DEATHS} == {date(2025, 10, 30), date(2025, 11, 14), date(2025, 11, 23)}
    boroughs = [(f"E090000{number:02d}", f"Borough {number}") for number in range(1, 34)]
    assert scenario.steps(boroughs) == scenario.steps(boroughs)
    quiet = scenario.quiet_incidents(boroughs, scenario.HISTORY_START, scenario.HISTORY_END)
    assert len({row["event_date"] for row in quiet}) == len(quiet), "never two on one day anywhere"


def test_every_message_says_that_it_is_reconstructed(shown: Shown) -> None:
    messages = [*(shown.home / "mail").glob("*.eml"), *(shown.home / "webhook").glob("*.json")]
    assert messages
    assert all("Reconstructed from public reports" in message.read_text() for message in messages)
