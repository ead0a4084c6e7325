"""Against a real Prefect server and worker: everything deploys, each flow runs, one failing source stops no other."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from ewarn.pipeline import read
from ewarn.pipeline.house import House, open_house
from flows.register import started_at
from flows.serve import Serving
from flows.surroundings import ROOT, prepare_environment

FEED = """title = "{0}"
publisher = "Test"
licence = "None"
cadence = "Daily"
personal_data = "none"
url = "http://127.0.0.1:{1}/{0}"
"""
ATOM = b"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Notices</title>
<id>urn:test</id><updated>2025-03-03T09:00:00Z</updated><entry><id>urn:test:1</id><title>Nitazenes in Camden</title>
<updated>2025-03-03T09:00:00Z</updated><link href="https://example.org/1"/></entry></feed>"""
INCIDENTS = "incident_ref,organisation,event_date,event_time,place,outcome\n"
ANSWERS = {"/good": 200, "/down": 500, "/gone": 404}
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
FIRST = ("intake-drops", "intake-feeds", "detect")
OTHERS = ("dispatch", "silence-watch", "adhoc-check")


class Patient(httpx.HTTPTransport):
    """Asks again, as Prefect's own client does, while the server says that its database is busy."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(60):
            response = super().handle_request(request)
            if response.status_code != 503:
                break
            response.close()
            time.sleep(0.5)
        return response


@pytest.fixture(scope="module")
def publisher() -> Iterator[tuple[int, list[str]]]:
    """A web server on loopback: one good feed, one that is down, one that is gone; and what it was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(ANSWERS[self.path])
            self.send_header("Content-Type", "application/atom+xml")
            self.end_headers()
            self.wfile.write(ATOM if self.path == "/good" else b"no")

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory, publisher: tuple[int, list[str]]) -> dict[str, str]:
    """A home of its own, and content whose feeds are the three on loopback."""
    folder = tmp_path_factory.mktemp("serve")
    for name in ("sources", "alerts"):
        shutil.copytree(ROOT / name, folder / "content" / name)
    feeds = folder / "content" / "sources" / "feeds"
    shutil.rmtree(feeds)
    feeds.mkdir()
    for path in ANSWERS:
        (feeds / f"{path[1:]}.toml").write_text(FEED.format(path[1:], publisher[0]))
    return prepare_environment(
        os.environ
        | {
            "EWARN_HOME": str(folder / "home"),
            "EWARN_CONTENT": str(folder / "content"),
            "EWARN_ALLOW_LOOPBACK_SOURCES": "1",
            "EWARN_STANDING": "test",
            "PREFECT_HOME": str(folder / "prefect"),
        }
    )


@pytest.fixture(scope="module")
def house(environ: dict[str, str]) -> House:
    return open_house(environ=environ)


@pytest.fixture(scope="module")
def serving(environ: dict[str, str], house: House) -> Iterator[Serving]:
    """`make serve`, started once for all tests here; its schedules are seen to work, then paused."""
    whole = Serving(environ)
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()


@pytest.fixture(scope="module")
def api(serving: Serving) -> httpx.Client:
    return httpx.Client(base_url=serving.environ["PREFECT_API_URL"], timeout=120, transport=Patient())


def until(found: Callable[[], Any], seconds: float = 120) -> Any:
    """Ask again and again; on a machine that is very busy the server itself may be slow to answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TimeoutException):
            if answer := found():
                return answer
        time.sleep(1)
    raise AssertionError(f"nothing came within {seconds:.0f} seconds")


def runs(api: httpx.Client, **names: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post("/flow_runs/filter", json={"limit": 200, **names}).json()
    return found


@pytest.fixture(scope="module")
def deployments(api: httpx.Client, serving: Serving) -> dict[str, dict[str, Any]]:
    """Every deployment by the name of its flow, paused after the scheduler was seen to plan runs by itself."""
    until(lambda: [run for run in runs(api) if run["auto_scheduled"]])
    found = api.post("/deployments/filter", json={}).json()
    for deployment in found:
        api.post(f"/deployments/{deployment['id']}/pause_deployment").raise_for_status()
    until(lambda: not [run for run in runs(api) if run["state_type"] in ("PENDING", "RUNNING")])
    flows = {f["id"]: f["name"] for f in api.post("/flows/filter", json={}).json()}
    return {flows[deployment["flow_id"]]: deployment for deployment in found}


@pytest.fixture(scope="module")
def finished(api: httpx.Client, house: House, deployments: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One run of each of the first flows, by name."""
    inbox = house.settings.drops / "overdose_incidents"
    inbox.mkdir(parents=True, exist_ok=True)
    rows = [f"r{n},Outreach,2025-03-03,2{n}:00,NW1,non-fatal\n" for n in range(3)]
    (inbox / "night.csv").write_text(INCIDENTS + "".join(rows))
    os.utime(inbox / "night.csv", (time.time() - 60, time.time() - 60))
    return _ended(api, {flow: deployments[flow] for flow in FIRST})


@pytest.fixture(scope="module")
def all_finished(
    api: httpx.Client, deployments: dict[str, dict[str, Any]], finished: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """One run of each flow, by name."""
    return finished | _ended(api, {flow: found for flow, found in deployments.items() if flow not in FIRST})


def _ended(api: httpx.Client, deployments: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    asked = {flow: _ask(api, deployment) for flow, deployment in deployments.items()}
    until(lambda: all(_run(api, run)["state_type"] in FINAL for run in asked.values()), 300)
    return {flow: _run(api, run) for flow, run in asked.items()}


def _ask(api: httpx.Client, deployment: dict[str, Any]) -> str:
    words = {"area": "E09000007"} if deployment["name"] == "on-request" else {}
    made = api.post(f"/deployments/{deployment['id']}/create_flow_run", json={"parameters": words})
    return str(made.raise_for_status().json()["id"])


def _run(api: httpx.Client, run: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/flow_runs/{run}").json()
    return found


def test_every_deployment_of_the_plan_is_there(serving: Serving, api: httpx.Client) -> None:
    plan = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    deployed = {d["entrypoint"] for d in api.post("/deployments/filter", json={}).json()}
    assert deployed == {d["entrypoint"] for d in plan["deployments"]}


def test_there_is_one_write_slot_and_the_heartbeat_automation(api: httpx.Client) -> None:
    slots = api.post("/v2/concurrency_limits/filter", json={}).json()
    assert {s["name"]: s["limit"] for s in slots if s["name"].startswith("ewarn")} == {"ewarn-write": 1}
    automations = api.post("/automations/filter", json={}).json()
    assert [a["name"] for a in automations] == ["Crash flow runs whose heartbeat stopped"]


@pytest.mark.parametrize("flow", FIRST)
def test_each_flow_runs_to_its_end(finished: dict[str, dict[str, Any]], flow: str) -> None:
    assert finished[flow]["state_type"] == "COMPLETED", finished[flow]["state"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize("flow", OTHERS)
def test_each_other_flow_does_too(all_finished: dict[str, dict[str, Any]], flow: str) -> None:
    assert all_finished[flow]["state_type"] == "COMPLETED", all_finished[flow]["state"]["message"]


def test_one_failing_source_does_not_stop_the_others(
    finished: dict[str, dict[str, Any]], house: House, publisher: tuple[int, list[str]]
) -> None:
    ended = finished["intake-feeds"]["state"]
    assert ended["name"] == "PartFailed"
    assert "down" in ended["message"] and "gone" in ended["message"] and "good" not in ended["message"]
    with house.db.read() as con:
        assert con.execute("select count(*) from record where source = 'good'").fetchone() == (1,)


def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_not(
    finished: dict[str, dict[str, Any]], publisher: tuple[int, list[str]]
) -> None:
    asked = publisher[1]
    per_run = asked.count("/gone")
    assert asked.count("/down") == 3 * per_run
    assert per_run >= 1


def test_a_dropped_file_becomes_records_and_is_put_away(finished: dict[str, dict[str, Any]], house: House) -> None:
    inbox = house.settings.drops / "overdose_incidents"
    assert not (inbox / "night.csv").exists()
    assert not (inbox / "done").exists(), "a file that can name people is kept encrypted, and nowhere in plain"


def test_results_are_shown_as_table_and_markdown(finished: dict[str, dict[str, Any]], api: httpx.Client) -> None:
    shown = {a["key"]: a["type"] for a in api.post("/artifacts/latest/filter", json={}).json()}
    for flow in finished:
        assert shown[flow] == "markdown"
        assert shown[f"{flow}-table"] == "table"


def test_the_today_page_answers(serving: Serving) -> None:
    page = httpx.get(serving.addresses["Today page"], trust_env=False, timeout=30, follow_redirects=True)
    assert page.status_code == 200
    assert "TEST. Nothing on this page is real." in page.text


def test_status_is_readable_while_everything_runs(finished: dict[str, dict[str, Any]], house: House) -> None:
    from datetime import UTC, datetime

    assert read.status(house, datetime.now(UTC)).records


def test_stopping_leaves_nothing_behind(serving: Serving) -> None:
    """Last in this file: it ends what the others used."""
    pids = [child.pid for child in serving.children.living()]
    assert len(pids) == 3
    serving.stop()
    assert [started_at(pid) for pid in pids] == ["", "", ""]
    assert not serving.register.path.exists()
