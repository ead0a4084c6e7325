"""The pages of the offline pack: plain HTML that needs no server, no script and no other file.

In: a title, sections of words, tables and texts, and what stands on every page: when it was made, under which marking.
Out: one HTML document. Everything that came from elsewhere is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from ewarn.review.situation import STANDING_WORDS
from ewarn.terms import LONDON, Frozen, Standing


class Section(Frozen):
    """A part of a page: words, links to other pages, items, a table, a text to copy."""

    title: str
    words: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""


class Stamp(Frozen):
    """What stands on every page."""

    issuer: str
    made_at: datetime
    marking: str
    standing: Standing

    @property
    def made(self) -> str:
        there = self.made_at.astimezone(LONDON)
        return f"{there:%-d %B %Y, %H:%M} {there.tzname()}{there.strftime('%z')[:3]}:{there.strftime('%z')[3:]}"


def page(title: str, sections: Sequence[Section], stamp: Stamp, *, home: bool = True) -> str:
    """One page; `home`: with a link to the first one."""
    return _template().render(
        title=title, sections=sections, issuer=stamp.issuer, made=stamp.made, marking=stamp.marking,
        standing=STANDING_WORDS[stamp.standing], home=home,
    )  # fmt: skip


def of_markdown(text: str) -> tuple[str, tuple[Section, ...]]:
    """The situation report in parts: its title, and a section for each heading, the first for what stands above."""
    title, found, above = "", list[Section](), Section(title="In short")
    for block in text.strip().split("\n\n"):
        if block.startswith("# "):
            title = block.removeprefix("# ")
        elif block.startswith("## "):
            found.append(Section(title=block.removeprefix("## ")))
        else:
            last = found.pop() if found else above
            lines = tuple(line.removeprefix("- ") for line in block.splitlines())
            kind = "items" if block.startswith("- ") else "words"
            told = last.model_copy(update={kind: (*getattr(last, kind), *lines)})
            if last is above:
                above = told
            else:
                found.append(told)
    return title, (above, *found)


def bold(words: str) -> list[tuple[str, bool]]:
    """Words in pieces, each with whether it stands between two pairs of asterisks."""
    return [(part, n % 2 == 1) for n, part in enumerate(re.split(r"\*\*", words)) if part]


@cache
def _template() -> Template:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals["bold"] = bold
    return made.from_string(files("ewarn.review").joinpath("pack.html").read_text(encoding="utf-8"))
