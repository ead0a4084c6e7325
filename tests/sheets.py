"""Reads printed sheets with nothing but the standard library: pages, text in reading order, structure.

Enough for the PDF that typst writes (objects one by one, flate streams, fonts with a map to Unicode), and no other.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
# A string may hold brackets bare as long as they are paired; two deep is as deep as codes of letters go.
PAIRED = rb"\((?:\\.|[^\\()]|\((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*\))*\)"
SHOWN = re.compile(rb"/(f\d+) [\d.]+ Tf|" + PAIRED + rb"|\bET\b", re.DOTALL)
BESIDE = re.compile(rb"/(?:Lang|ActualText)(?:" + PAIRED + rb"|<[0-9A-Fa-f]*>)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@lru_cache(maxsize=16)
def objects(pdf: bytes) -> dict[int, bytes]:
    return {int(number): body for number, body in OBJECT.findall(pdf)}


def pages(pdf: bytes) -> int:
    return sum(bool(re.search(rb"/Type/Page\b", body)) for body in objects(pdf).values())


def catalogue(pdf: bytes) -> bytes:
    return next(body for body in objects(pdf).values() if b"/Type/Catalog" in body)


def metadata(pdf: bytes) -> str:
    return next(body for body in objects(pdf).values() if b"/Type/Metadata" in body).decode(errors="replace")


def roles(pdf: bytes) -> list[str]:
    """The kinds of structure elements: H1, H2, P, L, Figure, ..."""
    return [
        role.decode() for body in objects(pdf).values() for role in re.findall(rb"/S/(H\d|P|L|LI|Figure|Link)\b", body)
    ]


def text(pdf: bytes) -> str:
    """What a reader hears or copies, one run a line, marks for line breaks left out."""
    runs: list[str] = []
    for page in (body for body in objects(pdf).values() if re.search(rb"/Type/Page\b", body)):
        fonts = _fonts(pdf, page)
        contents = re.search(rb"/Contents (\d+) 0 R", page)
        assert contents is not None
        font, line = "", ""
        for found in SHOWN.finditer(BESIDE.sub(b"", _stream(pdf, int(contents[1])))):
            if found[1]:
                font = found[1].decode()
            elif found[0] == b"ET":
                runs.append(line)
                line = ""
            else:
                raw = _unescaped(found[0][1:-1])
                codes = [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]
                line += "".join(fonts[font].get(code, "\ufffd") for code in codes)
    return "\n".join(runs).replace("\u200b", "")


def words(pdf: bytes) -> str:
    """The same with every space and line end as one space."""
    return " ".join(text(pdf).split())


def _unescaped(raw: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        octal = found[1]
        return bytes([int(octal, 8)]) if octal.isdigit() else ESCAPES.get(octal, octal)

    return re.sub(rb"\\([0-7]{1,3}|.)", plain, raw, flags=re.DOTALL)


def _stream(pdf: bytes, number: int) -> bytes:
    head, _, body = objects(pdf)[number].partition(b"stream")
    body = body.lstrip(b"\r\n").removesuffix(b"endstream")
    return zlib.decompress(body) if b"FlateDecode" in head else body


def _fonts(pdf: bytes, page: bytes) -> dict[str, dict[int, str]]:
    resources = re.search(rb"/Resources (\d+) 0 R", page)
    held = objects(pdf)[int(resources[1])] if resources else page
    found: dict[str, dict[int, str]] = {}
    for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", held):
        unicode = re.search(rb"/ToUnicode (\d+) 0 R", objects(pdf)[int(number)])
        assert unicode is not None
        found[name.decode()] = _mapped(_stream(pdf, int(unicode[1])))
    return found


def _mapped(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>", cmap)
    return {int(code, 16): bytes.fromhex(to.decode()).decode("utf-16-be") for code, to in pairs}
