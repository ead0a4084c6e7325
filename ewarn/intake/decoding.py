"""Bytes to clean UTF-8: byte-order marks, UTF-16, Windows-1252, line ends.

In: the bytes as received. Out: UTF-8 bytes without a mark, and notes of what was changed. Must never lose a character
without saying so: what cannot be decoded is refused.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from ewarn.errors import UnusableInput

_BLOCK = 16 * 1024 * 1024
_BINARY = {
    b"PK\x03\x04": "a spreadsheet or zip file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}


def clean_utf8(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The body as UTF-8 with line ends of one kind. Raises: UnusableInput for binary files and undecodable bytes."""
    for start, what in _BINARY.items():
        if body.startswith(start):
            raise UnusableInput(
                f"the file is {what}, not CSV text", next_step="Save it as CSV (UTF-8) and drop it again."
            )
    if body[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise UnusableInput("the file is a web page, not CSV text", next_step="Download the file itself and drop it.")
    text, notes = _as_utf8(body)
    if b"\0" in text:
        raise UnusableInput(
            "the file holds NUL bytes, so it is not CSV text", next_step="Save it as CSV (UTF-8) and drop it again."
        )
    return _one_line_end(text, notes)


def _as_utf8(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    if body.startswith(codecs.BOM_UTF8):
        body = body[len(codecs.BOM_UTF8) :]
    elif body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _transcoded(body, "utf-16"), ("read as UTF-16",)
    elif guess := _utf16_without_mark(body):
        return _transcoded(body, guess), (f"read as {guess.upper()} (no byte-order mark)",)
    if _is_utf8(body):
        return body, ()
    try:
        return body.decode("cp1252").encode(), ("not UTF-8: read as Windows-1252",)
    except UnicodeDecodeError:
        best = from_bytes(body[:_BLOCK]).best()
    if best is None:
        raise UnusableInput("the text's encoding cannot be told", next_step="Save the file as CSV (UTF-8).")
    return _transcoded(body, best.encoding), (f"not UTF-8: read as {best.encoding}, a guess",)


def _transcoded(body: bytes, encoding: str) -> bytes:
    try:
        return body.decode(encoding).removeprefix("\ufeff").encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise UnusableInput(
            f"the bytes are not {encoding.upper()} though they look it: {error.reason}",
            next_step="Save the file as CSV (UTF-8).",
        ) from error


def _is_utf8(body: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _BLOCK):
            decoder.decode(body[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(body: bytes) -> str:
    """UTF-16 shows as a NUL in every second byte of plain text."""
    head = body[:2000]
    if (len(head) >= 4 and len(head) % 2 == 0) or len(head) > 4:
        odd, even = head[1::2].count(0), head[0::2].count(0)
        if odd > len(head) * 0.3 and even < odd / 10:
            return "utf-16-le"
        if even > len(head) * 0.3 and odd < even / 10:
            return "utf-16-be"
    return ""


def _one_line_end(text: bytes, notes: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
    """CR LF throughout and LF throughout are left alone; a mixture becomes LF, and the operator is told."""
    pairs, feeds = text.count(b"\r\n"), text.count(b"\n")
    returns = text.count(b"\r") - pairs
    if returns == 0 and pairs in (0, feeds):
        return text, notes
    changed = re.sub(rb"\r\n?", b"\n", text)
    return changed, (*notes, "line ends of more than one kind: all read as LF") if feeds else notes
