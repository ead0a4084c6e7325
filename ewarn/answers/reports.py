"""The reporting form: what somebody without an account tells, bounded, and given back whole where something is missing.

In: a posted form. Out: what was told and a photograph, or what is wrong by field. Nothing of it touches the disk in the
clear, not even a large photograph on its way in; it must never drop what somebody typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ewarn.answers.forms import line, prose
from ewarn.personal.told import LARGEST_PHOTO
from ewarn.report import Harm, Origin, Told

LARGEST_REPORT = LARGEST_PHOTO + 100_000
LONGEST_SECONDS = 180
AT_ONCE = 20
LENGTHS = {
    "what": 5000, "area": 80, "place": 200, "happened_on": 10, "about_when": 60, "persons": 4, "sold_as": 120,
    "looks_like": 300, "organisation": 120, "contact": 300,
}  # fmt: skip
CHOICES = ("origin", "harm")
HIDDEN = ("ticket", "website")
NAMES = {
    "what": "what happened", "area": "the borough", "place": "where it was", "about_when": "the time",
    "sold_as": "what it was sold as", "looks_like": "what it looks like", "organisation": "the organisation",
    "contact": "how to reach you",
}  # fmt: skip
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class Posted(NamedTuple):
    """What came: words by field, and the photograph."""

    words: dict[str, str]
    photo: bytes


class _InMemory(MultiPartParser):
    """Starlette writes what is larger than this into a temporary file; a photograph of strangers stays in memory."""

    spool_max_size = LARGEST_REPORT


async def posted(request: Request) -> Posted:
    """The fields of a form with a file. Raises: HTTPException 400, 408, 413, 415."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "multipart/form-data":
        raise HTTPException(415)
    parser = _InMemory(request.headers, _bounded(request), max_files=1, max_fields=25, max_part_size=32_768)
    try:
        form = await asyncio.wait_for(parser.parse(), LONGEST_SECONDS)
    except TimeoutError:
        raise HTTPException(408) from None
    except (MultiPartException, KeyError, UnicodeError):
        raise HTTPException(400) from None
    try:
        file = form.get("photo")
        photo = await file.read() if isinstance(file, UploadFile) else b""
        words = {key: value for key, value in form.items() if isinstance(value, str)}
    finally:
        await form.close()
    return Posted({key: _plain(key, words.get(key, "")) for key in (*LENGTHS, *CHOICES, *HIDDEN)}, photo)


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    length = 0
    async for block in request.stream():
        length += len(block)
        if length > LARGEST_REPORT:
            raise HTTPException(413)
        yield block


def _plain(key: str, typed: str) -> str:
    return prose(typed) if key in ("what", "looks_like", "contact") else line(typed)


def faults(said: Posted, today: date) -> dict[str, str]:
    """What keeps a report from being taken, by field, in the order of the form."""
    words, found = said.words, dict[str, str]()
    if not words["what"]:
        found["what"] = "Say what happened, in a few words."
    if words["origin"] not in list(Origin):
        found["origin"] = "Choose how you know."
    for key, longest in LENGTHS.items():
        if len(words[key]) > longest and key in NAMES:
            found[key] = f"Keep {NAMES[key]} within {longest} characters; it has {len(words[key])}."
    if words["happened_on"] and (day := day_of(words["happened_on"])) is None:
        found["happened_on"] = "Write the day as 27/3/2025, or leave it empty."
    elif words["happened_on"] and day is not None and day > today:
        found["happened_on"] = "That day has not come yet. Correct it, or leave it empty."
    if words["persons"] and not (
        words["persons"].isascii() and words["persons"].isdigit() and len(words["persons"]) < 4
    ):
        found["persons"] = "Write how many people in figures, at most 999, or leave it empty."
    if fault := _photo_fault(said.photo):
        found["photo"] = fault
    if words["website"]:
        found["website"] = "Empty this box: it is there to catch programs that fill in every box."
    return found


def _photo_fault(photo: bytes) -> str:
    if len(photo) > LARGEST_PHOTO:
        return "Send a photo of at most 10 MB, or none."
    webp = photo[:4] == b"RIFF" and photo[8:12] == b"WEBP"
    known = not photo or webp or photo.startswith(PICTURES)
    return "" if known else "Send the photo as JPEG, PNG or WebP, or leave it out."


def day_of(typed: str) -> date | None:
    """A day as a browser gives it or as people write it; None where it is neither."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %m %Y"):
        try:
            return datetime.strptime(typed, pattern).date()  # noqa: DTZ007 a day, not an instant
        except ValueError:
            continue
    return None


def told(words: Mapping[str, str]) -> Told:
    """The report, of words without a fault. Raises: HTTPException 400."""
    free = {key: words[key] for key in LENGTHS if key not in ("happened_on", "persons")}
    try:
        return Told(
            origin=Origin(words["origin"]),
            harm=Harm(words["harm"]) if words["harm"] in list(Harm) else Harm.NOT_KNOWN,
            happened_on=day_of(words["happened_on"]),
            persons=int(words["persons"]) if words["persons"] else None,
            **free,
        )
    except ValidationError:
        raise HTTPException(400) from None
