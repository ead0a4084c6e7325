"""The demo's home: made anew each run, an exercise by its ewarn.toml, with its people and destinations.

It must never wipe a folder that is not a demo home, and never leave a destination outside this machine.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ewarn.cli.demo.scenario import LABEL
from ewarn.cli.demo.servers import LOOPBACK, Servers
from ewarn.errors import Refused
from ewarn.terms import LONDON_REGION, Person, PersonRole, Recipient

if TYPE_CHECKING:
    from ewarn.pipeline.house import House
    from ewarn.pipeline.reports import Actor

MARKER = ".ewarn-demo"
ISSUER = "LDN"
SOURCE = "demo_notices"

TOML = f"""# Written by `ewarn demo`. Everything in this home is an exercise.
issuer = "{ISSUER}"
issuer_name = "ewarn demonstration (exercise)"
home_area = "{LONDON_REGION}"
standing = "exercise"
origin = "{LABEL}"
smtp_from = "ewarn-demo@example.org"
allow_loopback_sources = true

# Where the exercise channels reach: servers on this machine, gone when the demo ends.
[secrets]
exercise_smtp = "file:secrets/exercise_smtp"
exercise_webhook = "file:secrets/exercise_webhook"
exercise_duty_webhook = "file:secrets/exercise_duty_webhook"
"""

FEED = """# Written by `ewarn demo`: a feed served on this machine while the demo runs.
title = "Demo notices (exercise)"
publisher = "ewarn demonstration"
licence = "Reconstructed from public reports; exercise"
cadence = "When the scripted clock says so"
personal_data = "none"
url = "{url}"
default_area = "E12000007"

[handling]
marking = "TLP:CLEAR"
"""


@dataclass(frozen=True)
class Cast:
    """Who plays: the duty officer who writes, and two panel members who decide."""

    duty: Actor
    panel: tuple[Actor, Actor]


def prepare(home: Path) -> None:
    """An empty demo home. Raises: Refused where the folder holds anything else."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARKER).is_file():
            raise Refused(
                "this folder holds something that no demo made, and a demo starts by wiping its home",
                where=str(home), next_step="Name an empty folder with --home, or leave --home out.",
            )  # fmt: skip
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARKER).write_text("A demo may wipe this folder.\n")
    (home / "ewarn.toml").write_text(TOML, encoding="utf-8")


def connect(home: Path, served: Servers) -> None:
    """What only this run has: the feed's address, and where the exercise channels reach."""
    feed = home / "content" / "sources" / "feeds" / f"{SOURCE}.toml"
    feed.parent.mkdir(parents=True)
    feed.write_text(FEED.format(url=served.feed_url), encoding="utf-8")
    (home / "secrets").mkdir(mode=0o700)
    for name, where in (
        ("exercise_smtp", f"{LOOPBACK}:{served.smtp_port}"),
        ("exercise_webhook", f"{LOOPBACK}:{served.http_port}/partners"),
        ("exercise_duty_webhook", f"{LOOPBACK}:{served.http_port}/duty"),
    ):
        _write_secret(home / "secrets" / name, where)


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text + "\n", encoding="utf-8")


def people(house: House, now: datetime) -> Cast:
    """Register the cast; each person's secret goes to a file of its own under HOME/secrets."""
    from ewarn.pipeline import read
    from ewarn.pipeline.reports import Actor

    actors = []
    for person, name, role in (
        ("demo-duty", "Demo duty officer (exercise)", PersonRole.DUTY),
        ("demo-a", "Demo person A (exercise)", PersonRole.PANEL),
        ("demo-b", "Demo person B (exercise)", PersonRole.PANEL),
    ):
        secret = secrets.token_urlsafe(18)
        _write_secret(house.settings.home / "secrets" / person, secret)
        read.add_person(house, Person(id=person, name=name, roles=(role,), areas=(LONDON_REGION,)), secret, now)
        actors.append(Actor(person, secret))
    return Cast(actors[0], (actors[1], actors[2]))


def destinations(house: House, now: datetime) -> None:
    """The duty rota and three partners, all on exercise channels."""
    from ewarn.pipeline import read

    duty = {"group": "duty", "audience": "internal", "channel": "exercise-duty", "areas": (LONDON_REGION,)}
    mail = {"channel": "exercise-email", "areas": ("E09000007",)}
    hook = {"channel": "exercise-webhook", "areas": (LONDON_REGION,)}
    for row in (
        duty | {"id": "duty-first", "name": "Demo duty officer", "rota_order": 1, "person": "demo-duty"},
        duty | {"id": "duty-backup", "name": "Demo back-up", "rota_order": 2},
        mail | {"id": "camden-health", "name": "Demo health partner", "group": "health", "address": "h@example.org"},
        mail | {"id": "camden-council", "name": "Demo council partner", "group": "council", "address": "c@example.org"},
        hook | {"id": "london-outreach", "name": "Demo outreach network", "group": "outreach"},
    ):
        labelled = {"name": f"{row['name']} (exercise)", "organisation": "Demo organisation (exercise)"}
        read.add_recipient(house, Recipient.model_validate(row | labelled), now)
