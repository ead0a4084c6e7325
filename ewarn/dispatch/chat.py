"""The lines of a chat text: what the template says they are, before Slack or Teams gets its own shape of them.

In: a rendered chat template. Out: lines, each with its kind. What comes from the alert object is shielded while the
template is rendered, so that no value can become a headline, a link or bold; it must never be read as layout.

A chat template has one thing a line:
    # words           the headline
    ! words           watermark and marking, bold
    Label:: words     a fact: its label bold
    - words           an item of a list
    > words           small print
    @ words | address a link, to the web only
    ---               a rule
    words             a paragraph; lines without a blank line between them belong together
"""

from __future__ import annotations

import re
from typing import Any, Literal

from ewarn.terms import Frozen

Kind = Literal["headline", "mark", "fact", "item", "small", "link", "rule", "words", "gap"]
SHIELD = {ord(c): 0xE000 + ord(c) for c in "\n\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" if c != " "}
BARE = {shielded: plain for plain, shielded in SHIELD.items()}
STARTS: dict[str, Kind] = {"# ": "headline", "! ": "mark", "- ": "item", "> ": "small", "@ ": "link"}
ADDRESS = re.compile(r"https?://[^\s<>|\"'\\^`{}]+")


class Line(Frozen):
    """One thing said: `label` of a fact, `address` of a link."""

    kind: Kind
    words: str = ""
    label: str = ""
    address: str = ""


def shielded(value: Any) -> str:
    """A value in a chat template, its punctuation out of the layout's reach."""
    return str(value).translate(SHIELD)


def bare(text: str) -> str:
    """Shielded text as it reads."""
    return text.translate(BARE)


def lines(body: str) -> list[Line]:
    """The lines of a rendered chat template."""
    return [_line(line.strip()) for line in body.strip().split("\n")]


def plain(subject: str, text: str) -> list[Line]:
    """A text without a template: its subject as the headline, then each of its lines."""
    rest = [Line(kind="words", words=line.strip()) if line.strip() else Line(kind="gap") for line in text.split("\n")]
    return [Line(kind="headline", words=subject), Line(kind="gap"), *rest]


def _line(line: str) -> Line:
    if not line or line == "---":
        return Line(kind="rule" if line else "gap")
    kind = STARTS.get(line[:2])
    if kind == "link":
        said, _, address = (bare(part.strip()) for part in line[2:].partition("|"))
        safe = ADDRESS.fullmatch(address)
        return Line(kind="link", words=said, address=address) if safe else Line(kind="words", words=said)
    if kind:
        return Line(kind=kind, words=bare(line[2:].strip()))
    label, found, said = line.partition(":: ")
    return Line(kind="fact", label=bare(label), words=bare(said)) if found else Line(kind="words", words=bare(line))
