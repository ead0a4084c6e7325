"""Workbooks written cell by cell, so that a test can say exactly what lies in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f"{_OFFICE}/spreadsheetml/2006/main"
_LINKS = f"{_OFFICE}/officeDocument/2006/relationships"
# Cell styles by name: day, instant, clock and elapsed time, percent, five digits.
STYLES = {"": 0, "day": 14, "instant": 22, "clock": 20, "elapsed": 46, "percent": 9, "digits": 164}


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(value: object, style: str = "", formula: str = "") -> str:
    made = f"<f>{escape(formula)}</f>" if formula else ""
    return f'<c s="{list(STYLES).index(style)}">{made}<v>{value}</v></c>'


def boolean(value: bool) -> str:
    return f'<c t="b"><v>{int(value)}</v></c>'


def error(value: str) -> str:
    return f'<c t="e"><v>{escape(value)}</v></c>'


def row(*cells: str) -> str:
    """A row of texts, or of cells as the functions above write them."""
    return "".join(cell if cell.startswith("<c") else text(cell) for cell in cells)


def workbook(
    sheets: Mapping[str, Mapping[int, str] | Sequence[str]],
    *,
    hidden: Sequence[str] = (),
    merged: Mapping[str, Sequence[str]] | None = None,
    parts: Mapping[str, str] | None = None,
) -> bytes:
    """An .xlsx. In: sheet -> rows by number, or one after the other from 1. `parts` replace or add files of it."""
    types = f'<Types xmlns="{_OFFICE}/package/2006/'
    types += 'content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
    types += 'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
    package = f"{_OFFICE}/package/2006/relationships"
    numbers = range(1, len(sheets) + 1)
    shown = {True: ' state="hidden"', False: ""}
    books = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"{shown[name in hidden]}/>'
        for n, name in zip(numbers, sheets, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    styles = "".join(f'<xf numFmtId="{form}"/>' for form in STYLES.values())
    files = {
        "[Content_Types].xml": types,
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{_LINKS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{books}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{links}<Relationship Id="rId999" '
        f'Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/>'
        f'</numFmts><cellXfs count="{len(STYLES)}">{styles}</cellXfs></styleSheet>',
    }
    for n, (name, rows) in zip(numbers, sheets.items(), strict=True):
        by_number = rows if isinstance(rows, Mapping) else dict(enumerate(rows, 1))
        lines = "".join(f'<row r="{r}">{cells}</row>' for r, cells in by_number.items())
        joined = "".join(f'<mergeCell ref="{ref}"/>' for ref in (merged or {}).get(name, ()))
        joined = f"<mergeCells>{joined}</mergeCells>" if joined else ""
        files[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData>{joined}</worksheet>'
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in (files | dict(parts or {})).items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{body}')
    return packed.getvalue()
