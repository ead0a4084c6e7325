"""The folder in which an exercise's own records lie: a home of its own under HOME/exercises, its standing exercise.

In: a house and a folder's name. Out: that folder opened as a house. Its rows are received, read and judged by the same
code and content as real ones, and never stand among them. It sends nothing: it has no recipients.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from ewarn.pipeline.house import House, open_house
from ewarn.store import exercises

FOLDER = "exercises"
TOML = """# Written by `ewarn exercise start`. Everything in this folder is an exercise.
issuer = "{issuer}"
issuer_name = "{name}"
home_area = "{area}"
standing = "exercise"
origin = "{origin}"
"""


def make(house: House, name: str, origin: str, now: datetime) -> House:
    """A new folder with this home's content, and nothing else."""
    folder = house.settings.home / FOLDER / name
    folder.mkdir(parents=True, mode=0o700)
    if house.settings.overlay.is_dir():
        shutil.copytree(house.settings.overlay, folder / "content")
    said = house.settings
    text = TOML.format(issuer=said.issuer, name=_plain(said.issuer_name), area=said.home_area, origin=_plain(origin))
    (folder / "ewarn.toml").write_text(text, encoding="utf-8")
    return opened(house, f"{FOLDER}/{name}", now)


def opened(house: House, folder: str, now: datetime) -> House:
    """The folder of an exercise; content as it stands now, with the overlay of that day."""
    home: Path = house.settings.home / folder
    return open_house(home, house.settings.content, {}, clock=lambda _: now)


def records_of(house: House, con: Any, case_ref: str, now: datetime) -> House:
    """The house in which a case's records lie: this one, or the exercise's own folder."""
    begun = exercises.load(con, case_ref)
    return opened(house, begun.folder, now) if begun and begun.folder else house


def _plain(words: str) -> str:
    return words.replace("\\", " ").replace('"', "'").replace("\n", " ")
