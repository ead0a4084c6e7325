"""A form as it was posted becomes bounded words.

In: the raw body of a request. Out: fields by name, or why not. It must never read more than a few kilobytes.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST_BODY = 16_384
MOST_FIELDS = 10


async def fields(request: Request) -> dict[str, str]:
    """The fields of a posted form. Raises: HTTPException 413, 415, 400."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=MOST_FIELDS, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise HTTPException(400) from None


def line(text: str) -> str:
    """One line without control characters."""
    return " ".join(prose(text).split())


def prose(text: str) -> str:
    """Lines without other control characters: what could turn a page or a terminal upside down is left out."""
    kept = "".join(c for c in text.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c)[0] != "C")
    return kept.strip()
