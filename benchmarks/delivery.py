"""`make bench-delivery`: how soon a thousand destinations have an approved alert, with and without dead servers.

A real approved alert goes to N destinations: webhooks that each have a server of their own, all well; the same with one
in twenty dead (refused, hanging, 500, slow, in turn); e-mails through one mail server. N is 1,000; `make bench-delivery
ARGS="200 dead"` chooses N and parts. Every server answers after 50 ms. The peer sends the same bytes to as many servers
in the same run and records nothing: requests and smtplib, one after the other. Prints a table; asserts nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import shutil
import smtplib
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests
from aiosmtpd.smtp import SMTP

from ewarn.pipeline import read, respond
from ewarn.terms import Recipient
from tests.journeys.conftest import TOML, Corridor, _Mailbox, at

NOON = at("2025-05-19")
CASE = "LDN-2025-0001"
ANSWERS_AFTER = 0.05
SLOW = 4.0
ROW = {
    "sample_ref": "S1", "laboratory": "Laboratory (synthetic)", "stream": "drug-checking",
    "date_sampled": "2025-05-17", "date_reported": "2025-05-17", "area_code": "E09000007", "sold_as": "diazepam",
    "major": "metonitazene", "test_type": "confirmatory", "status": "",
}  # fmt: skip
HOOK = """
title = "Webhook with a server of its own (benchmark)"
url = "json://{address}"
format = "slack"
live = false
timeout_seconds = 5
max_attempts = 3
"""
KINDS = ("refused", "hanging", "500", "slow")


class Servers:
    """In a process of its own: web servers at every loopback address, and one mail server; when what arrived."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.sample: dict[str, Any] = {}

    async def run(self, pipe: Connection) -> None:
        loop = asyncio.get_running_loop()
        webs = {
            kind: await asyncio.start_server(self.web(kind), "0.0.0.0", 0, backlog=2048)
            for kind in ("well", *KINDS[1:])
        }
        mail = await loop.create_server(lambda: SMTP(self), "127.0.0.1", 0, backlog=2048)
        ports = {kind: server.sockets[0].getsockname()[1] for kind, server in webs.items()}
        pipe.send(ports | {"mail": mail.sockets[0].getsockname()[1]})
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send((self.arrived, self.sample))
            self.arrived = {}

    def web(self, kind: str) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(lines["Content-Length"]))
                if kind == "hanging":
                    await asyncio.sleep(600)
                await asyncio.sleep(SLOW if kind == "slow" else ANSWERS_AFTER)
                self.sample["web"] = body
                if kind == "well":
                    self.arrived[lines.get("X-Ewarn-Delivery", "")] = time.time()
                words = "500 Broken" if kind == "500" else "200 OK"
                writer.write(f"HTTP/1.1 {words}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(ANSWERS_AFTER)
        self.sample["mail"] = envelope.content
        self.arrived[envelope.rcpt_tos[0]] = time.time()
        return "250 OK"


def serve(pipe: Connection) -> None:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    asyncio.run(Servers().run(pipe))


def prepared(folder: Path) -> Corridor:
    made = Corridor(folder / "home", None, _Mailbox())
    made.home.mkdir()
    (made.home / "ewarn.toml").write_text(TOML)
    made.staff(at("2025-05-17"))
    made.drop("test_results", [ROW], NOON)
    made.detect(NOON)
    with made.house(NOON).db.write("bench") as tx:
        tx.execute("DELETE FROM delivery")
    return made


def one(
    folder: Path, ready: Corridor, name: str, number: int, ports: dict[str, int], pipe: Connection
) -> dict[str, Any]:
    """A copy of the home, its destinations, an approved alert, one run of the sender."""
    made = Corridor(folder / name, folder / f"{name}-content", _Mailbox())
    shutil.copytree(ready.home, made.home, ignore=shutil.ignore_patterns("*.lock"))
    for part in ("sources", "alerts"):
        shutil.copytree(part, made.content / part)
    (made.content / "alerts" / "channels" / "exercise-hooks.toml").write_text(HOOK)
    (made.home / "smtp").write_text(f"127.0.0.1:{ports['mail']}")
    for secret in ("webhook", "duty"):
        (made.home / secret).write_text(f"127.0.0.1:{ports['well']}/{secret}")
    dead = {n: KINDS[(n // 20) % 4] for n in range(0, number, 20)} if name == "dead" else {}
    where = ports | {"refused": 9}
    house = made.house(NOON)
    read.add_recipients(
        house,
        [
            Recipient(
                id=f"r{n:04}", name=f"Destination {n}", areas=("E09000007",), group="health",
                channel="exercise-email" if name == "mail" else "exercise-hooks",
                address=f"r{n:04}@example.org" if name == "mail"
                else f"127.1.{n // 200}.{n % 200 + 1}:{where[dead.get(n, 'well')]}/in",
            )
            for n in range(number)
        ],
        NOON,
    )  # fmt: skip
    began = time.perf_counter()
    made.issue(CASE, NOON)
    approved = time.perf_counter() - began
    pipe.send(True)
    pipe.recv()
    began, clock, spent = time.perf_counter(), time.time(), time.process_time()
    respond.send(house, NOON)
    whole, spent = time.perf_counter() - began, time.process_time() - spent
    pipe.send(True)
    arrived, sample = pipe.recv()
    found = [d for d in respond.receipts(house).deliveries if d.destination.startswith("r")]
    healthy = [d for d in found if int(d.destination[1:]) not in dead]
    at_ = sorted(
        arrived[d.id if name != "mail" else f"{d.destination}@example.org"] - clock
        for d in healthy
        if (d.id if name != "mail" else f"{d.destination}@example.org") in arrived
    )
    return {
        "approve": approved, "run": whole, "cpu": spent, "healthy": len(healthy), "arrived": len(at_),
        "p50": statistics.median(at_), "p95": at_[int(0.95 * len(at_))], "max": at_[-1], "sample": sample,
    }  # fmt: skip


def bare_web(number: int, port: int, body: bytes) -> float:
    began = time.perf_counter()
    for n in range(number):
        requests.post(f"http://127.1.{n // 200}.{n % 200 + 1}:{port}/in", data=body, timeout=5)
    return time.perf_counter() - began


def bare_mail(number: int, port: int, body: bytes) -> float:
    began = time.perf_counter()
    for n in range(number):
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.sendmail("a@example.org", [f"bare{n}@example.org"], body)
    return time.perf_counter() - began


def bare(part: str, number: int, ports: dict[str, int], sample: dict[str, bytes]) -> float:
    """What the same bytes to as many servers take one after the other, reckoned from a tenth of them."""
    few = max(50, number // 10)
    if part == "mail":
        return bare_mail(few, ports["mail"], sample["mail"]) / few * number
    return bare_web(few, ports["well"], sample["web"]) / few * number


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ours, its = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(its,), daemon=True)
    server.start()
    ports = ours.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ready = prepared(folder)
        print(f"{number} destinations; load {', '.join(f'{x:.1f}' for x in os.getloadavg())}")
        print("| part | healthy | arrived | p50 s | p95 s | last s | whole run s | processor s | approval s | bare s |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for part in sys.argv[2:] or ("well", "dead", "mail"):
            got = one(folder, ready, part, number, ports, ours)
            got["bare"] = bare(part, number, ports, got["sample"])
            words = [f"{got[k]:.1f}" for k in ("p50", "p95", "max", "run", "cpu", "approve", "bare")]
            print(f"| {part} | {got['healthy']} | {got['arrived']} | {' | '.join(words)} |", flush=True)
    ours.send(False)


if __name__ == "__main__":
    main()
