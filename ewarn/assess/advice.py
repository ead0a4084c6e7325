"""Which advice texts belong in a text about this case, and how they are printed.

In: a case, its facts and the catalogue's advice (owned, versioned, dated, sourced). Out: advice as {id, version, title,
html, text}. It must never write advice of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ewarn.assess.facts import Facts
from ewarn.assess.verify import about
from ewarn.catalogue import Catalogue
from ewarn.catalogue.definitions import AdviceDefinition
from ewarn.terms import CaseFile

SIGNS, EMERGENCY, REPORT = ("sign",), ("emergency", "999", "naloxone"), "report"
CLINICAL = "clinical"
TAGS = {"p", "ul", "ol", "li", "strong", "em", "a", "br", "h3", "h4", "blockquote"}


@dataclass(frozen=True)
class Chosen:
    signs: AdviceDefinition | None
    emergency: AdviceDefinition | None
    texts: tuple[AdviceDefinition, ...]
    clinical: tuple[AdviceDefinition, ...] = ()

    @property
    def versions(self) -> dict[str, int]:
        every = (self.signs, self.emergency, *self.texts, *self.clinical)
        return {a.id: a.version for a in every if a is not None}


def chosen(case: CaseFile, facts: Facts, catalogue: Catalogue) -> Chosen:
    """The texts that apply: those without a class, and those of the classes found, with the classes above them.

    The signs text is the one whose id says 'sign', the emergency text the one whose id says 'emergency', '999' or
    'naloxone'; one of the drug's own class goes before a general one. How to report back is said by the draft itself.
    Those whose id begins with 'clinical' are for clinicians alone and stand apart from all of them.
    """
    classes = classes_of(case, facts, catalogue)
    everything = sorted(catalogue.advice.values(), key=lambda a: a.id)
    fitting = [a for a in everything if not a.applies_to or classes.intersection(a.applies_to)]
    fitting = [a for a in fitting if "professional" in a.audience]
    clinical = tuple(a for a in fitting if a.id.startswith(CLINICAL))
    everything, fitting = ([a for a in texts if not a.id.startswith(CLINICAL)] for texts in (everything, fitting))
    signs = _slot(fitting, SIGNS) or _slot(everything, SIGNS)
    emergency = _slot(fitting, EMERGENCY) or _slot(everything, EMERGENCY)
    texts = tuple(a for a in fitting if a not in (signs, emergency) and REPORT not in a.id)
    return Chosen(signs, emergency, texts, clinical)


def _slot(texts: list[AdviceDefinition], words: tuple[str, ...]) -> AdviceDefinition | None:
    ranked = [(words.index(w), not a.applies_to, a.id, a) for w in words for a in texts if w in a.id]
    return min(ranked, key=lambda r: r[:3])[3] if ranked else None


def classes_of(case: CaseFile, facts: Facts, catalogue: Catalogue) -> set[str]:
    """The classes a case is about or has found, and every class above them."""
    found = {f.class_id for f in facts.found if about(case, f) and f.class_id}
    found |= {case.subject.id, catalogue.class_of.get(case.subject.id, "")} & set(catalogue.classes)
    waiting = [c for c in found if c in catalogue.classes]
    while waiting:
        parent = catalogue.classes[waiting.pop()].parent
        if parent in catalogue.classes and parent not in found:
            found.add(parent)
            waiting.append(parent)
    return found


def printed(advice: AdviceDefinition | None) -> dict[str, Any]:
    """An advice text for the content object; every field empty where there is none, which the checker reports."""
    if advice is None:
        return {"id": "", "version": 0, "title": "", "html": "", "text": ""}
    import nh3
    from markdown_it import MarkdownIt  # a tenth of a second to import, seldom needed

    html = nh3.clean(MarkdownIt("commonmark", {"html": False}).render(advice.text), tags=TAGS)
    return {
        "id": advice.id,
        "version": advice.version,
        "title": advice.title,
        "html": html.strip(),
        "text": advice.text.replace("**", "").strip(),
    }


def with_sources(advice: AdviceDefinition) -> dict[str, Any]:
    """An advice text for clinicians, with its owner, its days and where it comes from."""
    return printed(advice) | {
        "owner": advice.owner,
        "dated": advice.dated.isoformat(),
        "review_by": advice.review_by.isoformat(),
        "sources": [
            {"title": s.title, "url": s.url, "dated": s.dated.isoformat() if s.dated else ""} for s in advice.sources
        ],
    }
