"""The parts of the schedules that need no server: what is retried, which processes are ours, what is deployed."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import yaml

from ewarn.errors import Refused, StoreBusy, TerminalSourceError, TransientSourceError
from flows.children import Children, free_port
from flows.register import Register, started_at
from flows.surroundings import ROOT, prepare_environment

PLAN = yaml.safe_load((ROOT / "prefect.yaml").read_text())


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientSourceError("timed out"), True),
        (StoreBusy("locked"), True),
        (TerminalSourceError("404"), False),
        (Refused("no"), False),
        (ValueError("a fault of ours"), False),
    ],
)
def test_only_what_can_pass_is_tried_again(error: Exception, again: bool) -> None:
    from flows.turns import worth_retrying

    assert worth_retrying(None, None, SimpleNamespace(data=error)) is again


@pytest.mark.parametrize("deployment", PLAN["deployments"], ids=lambda d: str(d["entrypoint"]))
def test_every_deployment_names_a_flow_that_exists(deployment: dict[str, str]) -> None:
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    assert flow.isasync
    if "schedules" in deployment:
        assert deployment["concurrency_limit"]["collision_strategy"] == "CANCEL_NEW"


def test_every_flow_is_deployed() -> None:
    written = {
        f"flows.{path.stem}.{name}"
        for path in (ROOT / "flows").glob("*_flow.py")
        for name in re.findall(r"^@flow.*\nasync def (\w+)", path.read_text(), re.MULTILINE)
    }
    assert written == {deployment["entrypoint"] for deployment in PLAN["deployments"]}


def test_the_three_steps_from_bytes_to_page_follow_each_other_within_the_minute() -> None:
    """Drops, detection and dispatch run every minute, twenty seconds apart: two minutes at worst, five promised."""
    steps = {d["entrypoint"].rpartition(".")[2]: d["schedules"][0] for d in PLAN["deployments"] if "schedules" in d}
    second = {name: int(steps[name]["anchor_date"][17:19]) for name in ("intake_drops", "detect", "dispatch")}
    assert {steps[name]["interval"] for name in second} == {60}
    assert second == {"intake_drops": 0, "detect": 20, "dispatch": 40}


def test_somebody_elses_prefect_server_is_never_used(tmp_path: Path) -> None:
    ours = prepare_environment(
        {"PREFECT_API_URL": "https://elsewhere.example/api", "PREFECT_HOME": str(tmp_path / "p")}
    )
    assert "PREFECT_API_URL" not in ours
    assert ours["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert (tmp_path / "p").is_dir()


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port


def sleeper(children: Children, name: str, folder: Path) -> int:
    return children.start(name, [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, folder).pid


def test_stopping_ends_the_children_and_nobody_else(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    children = Children(tmp_path)
    pids = [sleeper(children, name, tmp_path) for name in ("server", "worker")]
    children.stop(["worker", "server"])
    assert [started_at(pid) for pid in pids] == ["", ""]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_part_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("desk", [sys.executable, "-c", "raise SystemExit(3)"], os.environ, tmp_path).process.wait()
    gone = children.first_gone()
    assert gone is not None and gone.name == "desk"


def test_what_a_killed_run_left_behind_is_ended_by_its_id(tmp_path: Path) -> None:
    children = Children(tmp_path)
    pid = sleeper(children, "server", tmp_path)
    register = Register(tmp_path / "server.json")
    register.write(children.living(), {}, "")
    record = json.loads(register.path.read_text())
    record["serve"] = {"name": "serve", "pid": 2**22 - 1, "started": "1"}
    register.path.write_text(json.dumps(record))

    Thread(target=children.named("server").process.wait, daemon=True).start()  # as init does for an orphan
    assert f"server (process {pid})" in register.settle()[0]
    assert started_at(pid) == ""
    assert not register.path.exists()


def test_a_process_id_given_to_somebody_else_since_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    entry = {"name": "server", "pid": bystander.pid, "started": "another instant"}
    register = Register(tmp_path / "server.json")
    register.path.write_text(json.dumps({"serve": {"pid": 2**22 - 1, "started": "1"}, "children": [entry]}))
    register.settle()
    time.sleep(0.2)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_second_start_is_refused_while_one_runs(tmp_path: Path) -> None:
    keeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = {
        "serve": {"pid": keeper.pid, "started": started_at(keeper.pid)},
        "addresses": {"x": "http://127.0.0.1:1/"},
    }
    (tmp_path / "server.json").write_text(json.dumps(record))
    done = subprocess.run(
        [sys.executable, "-m", "flows.serve"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PREFECT_HOME": str(tmp_path), "EWARN_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    keeper.kill()
    keeper.wait()
    assert done.returncode == 1
    assert "already running" in done.stderr
    assert "stopped" not in done.stdout
    assert (tmp_path / "server.json").exists()
