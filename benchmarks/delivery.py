"""`make bench-delivery`: how soon a thousand destinations have an approved alert, with and without dead servers.

A real approved alert goes to N destinations: half of them webhooks with a server each, half of them mailboxes on twenty
mail servers, all over loopback. It goes four times: the words alone, then e-mails with the sheet that the routes attach
(the clinical sheet to health, the flyer to councils); each time with all servers well, and with one in twenty dead
(webhooks that refuse, hang, answer 500 or are slow, in turn; a mail server that never greets). N is 1,000; `make
bench-delivery ARGS="200 sheets"` chooses N and parts (words, sheets). Every server answers after 50 ms. Time counts
from the start of the sender to the instant at which the other side has the whole message. The peer sends the same
bytes to as many servers and records nothing: requests and smtplib, one after the other. Prints; asserts nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
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
MAIL_SERVERS = 20
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
MAIL = """
title = "One of twenty mail servers (benchmark)"
url = "mailto://127.0.0.1:PORT?mode=insecure&from={from}&to={address}"
format = "email"
live = false
timeout_seconds = 5
max_attempts = 3
"""
KINDS = ("refused", "hanging", "500", "slow")
GROUPS = {"words": ("prison", "prison"), "sheets": ("health", "council")}


class Servers:
    """In a process of its own: web servers at every loopback address, and mail servers; when what arrived."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.sample: dict[str, Any] = {}

    async def run(self, pipe: Connection) -> None:
        loop = asyncio.get_running_loop()
        webs = {
            kind: await asyncio.start_server(self.web(kind), "0.0.0.0", 0, backlog=2048)
            for kind in ("well", *KINDS[1:])
        }
        mails = [
            await loop.create_server(lambda: SMTP(self), "127.0.0.1", 0, backlog=2048) for _ in range(MAIL_SERVERS)
        ]
        mute = await asyncio.start_server(self.mute, "127.0.0.1", 0, backlog=2048)
        ports: dict[str, Any] = {kind: server.sockets[0].getsockname()[1] for kind, server in webs.items()}
        ports["mute"] = mute.sockets[0].getsockname()[1]
        pipe.send(ports | {"mail": [server.sockets[0].getsockname()[1] for server in mails]})
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send((self.arrived, self.sample))
            self.arrived = {}

    async def mute(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await reader.read()
        writer.close()

    def web(self, kind: str) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(lines["Content-Length"]))
                if kind == "hanging":
                    await reader.read()  # until the sender gives up
                    return
                await asyncio.sleep(SLOW if kind == "slow" else ANSWERS_AFTER)
                self.sample["web"] = body
                if kind == "well":
                    self.arrived[lines.get("X-Ewarn-Delivery", "")] = time.time()
                words = "500 Broken" if kind == "500" else "200 OK"
                writer.write(f"HTTP/1.1 {words}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
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


def destinations(part: str, dead: bool, number: int, ports: dict[str, Any]) -> list[tuple[Recipient, bool]]:
    """Webhooks and mailboxes in turn, each with whether its server is well; dead is one in twenty of either."""
    found = []
    where = ports | {"refused": 9}
    for n in range(number):
        pair = n // 2
        down = dead and pair % MAIL_SERVERS == 0
        common: dict[str, Any] = {"id": f"r{n:04}", "name": f"Destination {n}", "areas": ("E09000007",)}
        common["group"] = GROUPS[part][pair % 2]
        if n % 2:
            common |= {"channel": f"bench-mail-{pair % MAIL_SERVERS:02}", "address": f"r{n:04}@example.org"}
        else:
            port = where[KINDS[(pair // MAIL_SERVERS) % 4] if down else "well"]
            common |= {"channel": "exercise-hooks", "address": f"127.1.{n // 200}.{n % 200 + 1}:{port}/in"}
        found.append((Recipient(**common), not down))
    return found


def opened(folder: Path, ready: Corridor, name: str, dead: bool, ports: dict[str, Any]) -> Corridor:
    """A copy of the home whose channels lead to the servers of this run."""
    made = Corridor(folder / name, folder / f"{name}-content", _Mailbox())
    shutil.copytree(ready.home, made.home, ignore=shutil.ignore_patterns("*.lock"))
    assert made.content is not None
    for part in ("sources", "alerts"):
        shutil.copytree(part, made.content / part)
    channels = made.content / "alerts" / "channels"
    (channels / "exercise-hooks.toml").write_text(HOOK)
    for n, port in enumerate(ports["mail"]):
        (channels / f"bench-mail-{n:02}.toml").write_text(
            MAIL.replace("PORT", str(ports["mute"] if dead and n == 0 else port))
        )
    (made.home / "smtp").write_text(f"127.0.0.1:{ports['mail'][1]}")
    for secret in ("webhook", "duty"):
        (made.home / secret).write_text(f"127.0.0.1:{ports['well']}/{secret}")
    return made


def one(
    folder: Path, ready: Corridor, part: str, dead: bool, number: int, ports: dict[str, Any], pipe: Connection
) -> dict[str, Any]:
    """A copy of the home, its destinations, an approved alert, one run of the sender."""
    made = opened(folder, ready, f"{part}-{dead}", dead, ports)
    house = made.house(NOON)
    to = destinations(part, dead, number, ports)
    read.add_recipients(house, [recipient for recipient, _ in to], NOON)
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
    named = {d.destination: d.id for d in respond.receipts(house).deliveries}
    seconds: dict[str, list[float]] = {"web": [], "mail": []}
    for recipient, well in to:
        mail = recipient.channel != "exercise-hooks"
        key = recipient.address if mail else named[recipient.id]
        if well and key in arrived:
            seconds["mail" if mail else "web"].append(arrived[key] - clock)
    every = sorted(seconds["web"] + seconds["mail"])
    shutil.rmtree(made.home)
    return {
        "healthy": sum(well for _, well in to), "arrived": len(every), "p50": statistics.median(every),
        "p95": p95(every), "web": p95(seconds["web"]), "mail": p95(seconds["mail"]), "last": every[-1], "run": whole,
        "cpu": spent, "approve": approved, "kB": len(sample["mail"]) / 1000, "sample": sample,
    }  # fmt: skip


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]


def bare(number: int, ports: dict[str, Any], sample: dict[str, bytes]) -> float:
    """What the same bytes to as many servers take one after the other, reckoned from a tenth of them."""
    few = max(20, number // 20)
    began = time.perf_counter()
    for n in range(few):
        requests.post(f"http://127.1.0.{n % 200 + 1}:{ports['well']}/in", data=sample["web"], timeout=5)
        with smtplib.SMTP("127.0.0.1", ports["mail"][n % MAIL_SERVERS]) as server:
            server.sendmail("a@example.org", [f"bare{n}@example.org"], sample["mail"])
    return (time.perf_counter() - began) / (2 * few) * number


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
        print("| part | servers | healthy | arrived | p50 s | p95 s | webhooks p95 s | e-mail p95 s | last s "
              "| whole run s | processor s | approval s | an e-mail kB | bare s |")  # fmt: skip
        print(f"|{'---|' * 14}")
        for part in sys.argv[2:] or ("words", "sheets"):
            both = []
            for dead in (False, True):
                got = one(folder, ready, part, dead, number, ports, ours)
                got["bare"] = bare(number, ports, got["sample"])
                keys = ("p50", "p95", "web", "mail", "last", "run", "cpu", "approve", "kB", "bare")
                words = " | ".join(f"{got[k]:.1f}" for k in keys)
                state = "1 in 20 dead" if dead else "all well"
                print(f"| {part} | {state} | {got['healthy']} | {got['arrived']} | {words} |", flush=True)
                both.append(got)
            ratios = ", ".join(f"{words} {both[1][k] / both[0][k]:.2f}" for k, words in RATIOS.items())
            print(f"{part}: p95 of the healthy ones with dead servers, to that without: {ratios}", flush=True)
    ours.send(False)


RATIOS = {"p95": "all", "web": "webhooks", "mail": "e-mail"}

if __name__ == "__main__":
    main()
