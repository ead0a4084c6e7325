"""The structured object becomes sheets of paper: PDF of fixed bytes, tagged for those who hear it.

In: a template whose body is typst, and the content object as one audience may read it. Out: the subject and the bytes
of a PDF, the same every time. Content enters as data (`sys.inputs`) and is only ever set as text: it must never be
compiled, read a file or reach the network, and no letter of it may vanish because a font lacks it.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from threading import Lock
from typing import Any, Literal, cast

import segno
import typst

from ewarn.catalogue.definitions import TemplateDefinition
from ewarn.charts import weekly_bars
from ewarn.dispatch.glyphs import plain, plain_all
from ewarn.errors import ContentFault

ONE_AT_A_TIME = Lock()
STANDARD: Literal["ua-1"] = "ua-1"
SANS = ("prefect", "Geist-VariableFont_wght.ttf")
EMBEDDED = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")
# Charts take their look from the page; on paper this is the page.
INK = (
    "<style>rect{fill:#000}.axis{stroke:#000;stroke-width:1.5}text{font-family:Geist,'Libertinus Serif';font-size:12px}"
    ".value{text-anchor:middle;font-weight:700}.unknown rect{fill:none;stroke:#000}</style>"
)
# What a marking lets people do with a sheet in their hands (FIRST, Traffic Light Protocol 2.0).
MARKINGS = {
    "TLP:CLEAR": "may be shown to everyone.",
    "TLP:GREEN": "for people who work in this field. Do not publish it or put it on public display.",
    "TLP:AMBER": "for your own organisation and the people it helps who need to know. Do not publish or display it.",
    "TLP:AMBER+STRICT": "for your own organisation only. Do not publish or display it.",
    "TLP:RED": "for the persons it was given to only.",
}


def pdf(template: TemplateDefinition, content: dict[str, Any], subject: str, photo: bytes = b"") -> bytes:
    """One sheet, with its standing across it where the content has a watermark.

    In: `photo` the JPEG that the content speaks of; it is set as it is, byte for byte.
    Raises: ContentFault where the template cannot be set.
    """
    shown = plain_all(content)
    sheet = {
        "paper": template.paper,
        "title": plain(subject),
        "across": _across(content),
        "marking": MARKINGS.get(str(content.get("marking", "")).rpartition(" ")[2], ""),
        "fonts": fonts()[1],
        "address": str(content.get("verify") or ""),
        "code": code(str(content.get("verify") or "")),
        "photo": bool(photo and content.get("photo")),
    } | chart(content)
    try:
        photo = photo if sheet["photo"] else b""
        return _set(template.body, json.dumps(shown), json.dumps(sheet), _fixed(content), photo)
    except typst.TypstError as error:
        raise ContentFault(
            f"the sheet cannot be set: {error.message}",
            where=f"alerts/templates/{template.id}.toml",
            next_step="Use only `content`, `sheet` and the shapes of docs/how-to/printed-formats.md.",
        ) from error


@lru_cache(maxsize=8)
def _set(body: str, content: str, sheet: str, timestamp: int, photo: bytes) -> bytes:
    """The sheet of a text is asked for several times while it is submitted and approved."""
    inputs = {"content": content, "sheet": sheet}
    if photo:
        inputs["photo"] = json.dumps(list(photo))  # data like all the rest: the compiler's world stays empty
    with ONE_AT_A_TIME:
        made = _compiler()[0].compile(
            input=_source(body),
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=[STANDARD],
            timestamp=timestamp,
        )
    return cast(bytes, made)


@lru_cache(maxsize=32)
def code(address: str) -> str:
    """The QR code of an address as SVG; '' for what is no web address."""
    if not re.match(r"^https?://[^\s]+$", address):
        return ""
    drawn = segno.make(address, error="m", micro=False)
    svg = io.BytesIO()
    drawn.save(svg, kind="svg", scale=4, border=2, dark="#000", light="#fff", xmldecl=False)
    return svg.getvalue().decode()


def chart(content: dict[str, Any]) -> dict[str, str]:
    """The weekly series as SVG with its words, where the content carries one; the public's never does."""
    series = content.get("series") or {}
    weeks = [(date.fromisoformat(str(day)), int(count)) for day, count in series.get("weeks", ())]
    title = str(series.get("title", ""))
    told = "; ".join(f"week of {day:%-d %B %Y}: {count}" for day, count in weeks if count)
    drawn = weekly_bars(weeks, title=title, description=told)
    return {"chart": drawn.replace(">", f">{INK}", 1), "chart_title": title, "chart_words": f"{title}: {told}."}


@lru_cache(maxsize=1)
def fonts() -> tuple[typst.Fonts, list[str]]:
    """The fonts that typst brings, with the sans serif of an installed wheel before them where there is one."""
    package, name = SANS
    try:
        found = [f.locate() for f in metadata.files(package) or () if f.name == name]
    except metadata.PackageNotFoundError:
        found = []
    paths = [str(path.parent) for path in map(Path, map(str, found)) if path.is_file()]
    known = typst.Fonts(include_system_fonts=False, font_paths=paths)
    return known, [*(["Geist"] if "Geist" in known.families() else []), *EMBEDDED]


def _across(content: dict[str, Any]) -> list[str]:
    """The words across the page: EXERCISE or TEST, and DRAFT for what is not approved."""
    return str(content.get("standing", "")).upper().split() if content.get("watermark") else []


def _fixed(content: dict[str, Any]) -> int:
    """The day of the alert as the document's time, so that the same object gives the same bytes."""
    try:
        day = date.fromisoformat(str(content.get("date")))
    except ValueError:
        return 0
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _source(body: str) -> bytes:
    shapes = resources.files("ewarn.dispatch").joinpath("printed.typ").read_text(encoding="utf-8")
    return f"{shapes}\n#show: on-paper\n{body}".encode()


@lru_cache(maxsize=1)
def _compiler() -> tuple[typst.Compiler, tempfile.TemporaryDirectory[str]]:
    """One compiler, with an empty folder as its whole world. The folder goes when the program ends."""
    world = tempfile.TemporaryDirectory(prefix="ewarn-paper-")
    known, _ = fonts()
    return typst.Compiler(b"", root=world.name, font_paths=known, ignore_system_fonts=True, sys_inputs={}), world
