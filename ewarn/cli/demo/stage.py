"""The demo's home: made anew each run, an exercise by its ewarn.toml, with people, destinations and loopback channels.

It must never wipe a folder that is not a demo home, and never leave a destination outside this machine.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
smtp_from = "ewarn-demo@example.org"
allow_loopback_sources = true
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

CHANNEL = """# Written by `ewarn demo`: reaches only this machine.
title = "{title}"
url = "{url}"
format = "{format}"
live = false
internal = true
"""

ROUTES = """# Written by `ewarn demo`: everything goes to loopback channels.
page_channels = ["demo-mail"]
page_backup_after_minutes = 15

[[route]]
audience = "professional"
channels = ["demo-mail", "demo-webhook"]

[[route]]
audience = "public"
channels = ["demo-mail", "demo-webhook"]
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


def overlay(home: Path, served: Servers) -> None:
    """The definitions that only the demo has: its feed, its two channels, its routes."""
    mail = f"mailto://{LOOPBACK}:{served.smtp_port}?from=ewarn-demo@example.org&to={{address}}"
    hook = f"json://{LOOPBACK}:{served.http_port}/webhook/{{address}}"
    for path, text in (
        (f"sources/feeds/{SOURCE}.toml", FEED.format(url=served.feed_url)),
        ("alerts/channels/demo-mail.toml", CHANNEL.format(title="Demo e-mail (loopback)", url=mail, format="email")),
        (
            "alerts/channels/demo-webhook.toml",
            CHANNEL.format(title="Demo webhook (loopback)", url=hook, format="slack"),
        ),
        ("alerts/routes.toml", ROUTES),
    ):
        file = home / "content" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def people(house: House, now: datetime) -> Cast:
    """Register the cast; each person's secret goes to a file of its own under HOME/secrets."""
    from ewarn.pipeline import read
    from ewarn.pipeline.reports import Actor

    folder = house.settings.home / "secrets"
    folder.mkdir(mode=0o700)
    actors = []
    for person, name, role in (
        ("demo-duty", "Demo duty officer (exercise)", PersonRole.DUTY),
        ("demo-a", "Demo person A (exercise)", PersonRole.PANEL),
        ("demo-b", "Demo person B (exercise)", PersonRole.PANEL),
    ):
        secret = secrets.token_urlsafe(18)
        file = folder / person
        file.touch(mode=0o600)
        file.write_text(secret + "\n")
        read.add_person(house, Person(id=person, name=name, roles=(role,), areas=(LONDON_REGION,)), secret, now)
        actors.append(Actor(person, secret))
    return Cast(actors[0], (actors[1], actors[2]))


def destinations(house: House, now: datetime) -> None:
    """The duty rota and three partners, all at example.org through loopback."""
    from ewarn.pipeline import read

    duty = {"group": "duty", "audience": "internal", "channel": "demo-mail", "organisation": "Demo rota (exercise)"}
    made = (
        Recipient(id="duty-first", name="Demo duty officer (exercise)", areas=(LONDON_REGION,), rota_order=1,
                  address="duty@example.org", person="demo-duty", **duty),
        Recipient(id="duty-backup", name="Demo back-up (exercise)", areas=(LONDON_REGION,), rota_order=2,
                  address="backup@example.org", **duty),
        Recipient(id="camden-health", name="Demo health partner (exercise)", group="health", areas=("E09000007",),
                  channel="demo-mail", address="health@example.org", organisation="Demo trust (exercise)"),
        Recipient(id="camden-council", name="Demo council partner (exercise)", group="council", areas=("E09000007",),
                  channel="demo-mail", address="council@example.org", organisation="Demo council (exercise)"),
        Recipient(id="london-outreach", name="Demo outreach network (exercise)", group="outreach",
                  areas=(LONDON_REGION,), channel="demo-webhook", address="outreach",
                  organisation="Demo network (exercise)"),
    )  # fmt: skip
    for recipient in made:
        read.add_recipient(house, recipient, now)
