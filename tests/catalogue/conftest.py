"""A small, whole content folder that every test here may change one file of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = """
[[example]]
title = "one is enough"
rows = [{ day = 0, substance = "metonitazene" }]
as_of_day = 1
fires = true

[[example]]
title = "nothing"
rows = []
as_of_day = 1
fires = false
"""

FILES = {
    "sources/feeds/agency.toml": """
title = "Agency alerts"
publisher = "Agency"
licence = "Open Government Licence v3.0"
cadence = "weekly"
personal_data = "none"
url = "https://example.org/alerts.atom"
""",
    "sources/drops/laboratory.toml": """
title = "Laboratory"
publisher = "Laboratory"
licence = "by agreement"
cadence = "weekly"
personal_data = "none"
kind = "sample"
key = ["ref"]

[columns.reference_date]
column = "sampled"

[columns.major]
column = "found"
split = "|"

[documented]
ref = "the laboratory's reference"
""",
    "sources/substances/opioid.toml": """
name = "opioid"
plural = "opioids"
watch = false

[[substances]]
id = "heroin"
name = "Heroin"
synonyms = ["diamorphine"]
""",
    "sources/substances/nitazene.toml": """
name = "nitazene"
plural = "nitazenes"
watch = true
parent = "opioid"
expected_sold_as = ["nitazene"]

[[substances]]
id = "metonitazene"
name = "Metonitazene"
synonyms = ["metonitazine"]

[[substances]]
id = "etonitazene"
name = "Etonitazene"
watch = false
""",
    "sources/substances/_results.toml": """
[[status]]
id = "unable-to-identify"
name = "Unable to identify"
phrases = ["Unable to identify"]
""",
    "sources/areas/areas.csv": """# a source
code,name,tier,parent,other_names,population,population_year,hex_column,hex_row
K02000001,United Kingdom,uk,,,,,,
E12000007,London,region,K02000001,,,,,
E09000007,Camden,borough,E12000007,London Borough of Camden,210000,2021,3,2
E09000019,Islington,borough,E12000007,,,,4,2
""",
    "sources/areas/neighbours.csv": "code,neighbour\nE09000007,E09000019\nE09000019,E09000007\n",
    "sources/areas/outcodes.csv": "outcode,area,share,basis\n"
    "N1,E09000019,0.8,x\nN1,E09000007,0.2,x\nNW5,E09000007,1,x\n",
    "alerts/rules/first.toml": """
title = "First in a borough"
family = "first detection"
method = "first"
grade_suggested = "urgent"
why = "One laboratory row is enough for these substances."
known_false_alarms = ["a new laboratory starts to send results"]
"""
    + EXAMPLES,
    "alerts/templates/alert.toml": """
version = 1
product = "formal alert"
format = "text"
audience = "professional"
body = "{{ alert.reference }}"
""",
    "alerts/advice/naloxone.md": """+++
title = "Naloxone"
version = 1
owner = "panel"
dated = 2026-01-01
review_by = 2026-02-01
applies_to = ["nitazene"]

[[sources]]
title = "A page"
+++

Give naloxone.
""",
    "alerts/channels/duty.toml": """
title = "Duty"
url = "json://localhost/{address}"
format = "text"
live = true
internal = true
""",
    "alerts/routes.toml": """
[[route]]
audience = "professional"
channels = ["duty"]
""",
    "alerts/grading.toml": """
title = "Ours"
note = "Not official."

[[question]]
id = "relevance"
text = "Is it relevant here?"

[[grade]]
id = "urgent"
name = "Urgent"
meaning = "risk to life"
first_action = "call the panel"
due_hours = 4
product = "formal alert"
cap_urgency = "Immediate"
cap_severity = "Severe"

[[grade]]
id = "none"
name = "No action"
meaning = "nothing to do"
first_action = "close"
due_hours = 24
product = "none"
cap_urgency = "Unknown"
cap_severity = "Unknown"
""",
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write content with some files changed: write({path: text or None}) -> folder. None leaves a file out."""

    def _write(changes: dict[str, str | None] | None = None, folder: str = "content", whole: bool = True) -> Path:
        base = tmp_path / folder
        for path, text in {**(FILES if whole else {}), **(changes or {})}.items():
            file = base / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                file.write_text(text.lstrip("\n"), encoding="utf-8")
            elif file.exists():
                file.unlink()
        return base

    return _write


@pytest.fixture
def edited() -> Callable[[str, str, str], dict[str, str]]:
    """One file of the small content with one piece of text replaced."""

    def _edited(path: str, old: str, new: str) -> dict[str, str]:
        assert old in FILES[path]
        return {path: FILES[path].replace(old, new)}

    return _edited
