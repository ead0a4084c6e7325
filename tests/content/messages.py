"""One alert of each kind over the project's own templates, and the golden files that their formats are held to.

`.venv/bin/python -m tests.content.messages` writes the golden files anew (tests/content/golden/): look at what changed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ewarn import catalogue as content_files
from ewarn.assess import draft
from ewarn.catalogue import Catalogue
from ewarn.dispatch import render
from ewarn.personal import placeholders
from ewarn.terms import Alert, AlertStatus, Payload, Product, Standing, VersionKind
from tests.content.test_alert_content import content

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = Path(__file__).resolve().parent / "golden"
FIGURES = [("People who died", 3), ("People affected, at least", 12), ("Samples analysed", 4)]
LATER = {"version": 2, "replaces": "version 1 of 3 March 2025"}
KINDS: dict[str, tuple[Product, VersionKind, dict[str, Any]]] = {
    "alert": (Product.FORMAL_ALERT, VersionKind.ALERT, {}),
    "update": (Product.FORMAL_ALERT, VersionKind.UPDATE, LATER),
    "stand-down": (Product.FORMAL_ALERT, VersionKind.STAND_DOWN, LATER | {"headline": "Stood down: Overdoses"}),
    "withdrawal": (Product.FORMAL_ALERT, VersionKind.WITHDRAWAL, LATER | {"headline": "Withdrawn: Overdoses"}),
    "share": (Product.SHARE, VersionKind.ALERT, {}),
    "corroborate": (Product.CORROBORATE, VersionKind.ALERT, {}),
}
HELD = ("email", "slack", "teams", "sms")


@lru_cache(maxsize=1)
def shipped() -> Catalogue:
    return content_files.load(ROOT)


def alert(name: str, **changes: Any) -> Alert:
    """An exercise of one kind."""
    product, kind, more = KINDS[name]
    figures = [{"label": label, "value": value, "signal": "s", "records": ["r"]} for label, value in FIGURES]
    said = content(
        product=product.value, kind=kind.value, standing="exercise", watermark=draft.WATERMARKS[Standing.EXERCISE],
        **({"figures": figures} | placeholders.parts("https://answer.example.org", "LDN-2025-0007") | more | changes),
    )  # fmt: skip
    return Alert(
        id="LDN-2025-0007/A1", case="LDN-2025-0007", version=said["version"], product=product, content=said,
        status=AlertStatus.REVIEW, standing=Standing.EXERCISE, area="E09000007", author="ann", advice_versions={},
        template_versions=draft.template_versions(product, shipped(), kind),
        created_at=datetime(2025, 3, 3, tzinfo=UTC),
    )  # fmt: skip


def payloads(name: str, paper: bool = False, **changes: Any) -> list[Payload]:
    return render.payloads(alert(name, **changes), shipped(), paper=paper)


def files(name: str) -> dict[str, str]:
    """The golden files of one kind, by name; JSON indented, so that a change can be read."""
    found: dict[str, str] = {}
    for payload in payloads(name):
        start = f"{name}-{payload.audience}"
        if payload.format == "email":
            mail = json.loads(payload.body)
            found[f"{start}.txt"] = f"{mail['subject']}\n\n{mail['text']}\n"
            found[f"{start}.html"] = f"{mail['html']}\n"
        elif payload.format in HELD:
            text = payload.body.decode()
            shown = text if payload.format == "sms" else json.dumps(json.loads(text), indent=1, ensure_ascii=False)
            found[f"{start}.{payload.format}"] = f"{shown}\n"
    return found


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for kind in KINDS:
        for file, text in files(kind).items():
            (GOLDEN / file).write_text(text, encoding="utf-8")
