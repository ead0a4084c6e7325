"""What one file says about another: names claimed twice, ids that do not exist, channels, keys and grades.

In: definitions by id, area codes. Out: faults. A check never repairs anything and never stops at the first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import combinations
from pathlib import PurePosixPath
from typing import get_args

from ewarn.catalogue.catalogue import Catalogue
from ewarn.catalogue.definitions import ChannelDefinition, ClassDefinition, DropDefinition, StatusDefinition
from ewarn.catalogue.faults import Fault, nearest
from ewarn.catalogue.files import RESULTS

FORMATS = get_args(ChannelDefinition.model_fields["format"].annotation)
GAPS = re.compile(r"[\s\-\u2010-\u2015]+")


@lru_cache(maxsize=8192)
def same_name(text: str) -> str:
    """The spelling under which two written names are the same: without case, and without spaces and hyphens."""
    return GAPS.sub("", text.casefold())


def same_header(text: str) -> str:
    """The spelling under which two column headers are the same: without case, spaces and underscores."""
    return "".join(text.casefold().replace("_", " ").split())


def claims(
    classes: Mapping[str, ClassDefinition], statuses: Mapping[str, StatusDefinition]
) -> Iterator[tuple[str, str, str]]:
    """(name as written, subject id, path of the file) of every name, synonym, brand and phrase."""
    for definition in classes.values():
        path = f"sources/substances/{definition.id}.toml"
        for word in (definition.name, definition.plural, *definition.class_names, *definition.brands):
            yield word, definition.id, path
        for substance in definition.substances:
            for word in (substance.name, *substance.synonyms, *substance.brands, *substance.cell_only):
                yield word, substance.id, path
    for status in statuses.values():
        for word in (status.name, *status.phrases):
            yield word, status.id, RESULTS


def of_names(
    classes: Mapping[str, ClassDefinition], statuses: Mapping[str, StatusDefinition], shown: Mapping[str, str]
) -> list[Fault]:
    """Names claimed by two subjects, and ids that stand for two things."""
    owners: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for word, subject, path in claims(classes, statuses):
        owners[same_name(word)].setdefault(subject, (word, path))
    faults = []
    for found in owners.values():
        (first, (word, _)), *others = found.items()
        for subject, (again, path) in others:
            problem = f"'{again}' already names {first}" + ("" if again == word else f" (as '{word}')")
            remedy = f"write it under {first} or {subject}, not both"
            faults.append(Fault(file=shown.get(path, path), key=subject, problem=problem, remedy=remedy))
    return faults + _of_ids(classes, statuses, shown)


def _of_ids(
    classes: Mapping[str, ClassDefinition], statuses: Mapping[str, StatusDefinition], shown: Mapping[str, str]
) -> list[Fault]:
    places = [(d.id, f"sources/substances/{d.id}.toml") for d in classes.values()]
    places += [(s.id, f"sources/substances/{d.id}.toml") for d in classes.values() for s in d.substances]
    places += [(status.id, RESULTS) for status in statuses.values()]
    first: dict[str, str] = {}
    faults = []
    for subject, path in places:
        if subject in first:
            problem = f"the id '{subject}' is already used in {first[subject]}"
            faults.append(Fault(file=shown.get(path, path), key=subject, problem=problem, remedy="write another id"))
        first.setdefault(subject, path)
    return faults


def of_references(catalogue: Catalogue, shown: Mapping[str, str]) -> list[Fault]:
    """Ids that one definition uses and no other defines: classes, substances, areas, channels, grades.

    A list that is empty because its own files are missing or refused is not held against those who use it.
    """
    areas = set(catalogue.areas["code"])
    grades = {row.id for row in catalogue.grading.grades} if catalogue.grading else set()
    classes, channels = _stems(catalogue, "sources/substances"), _stems(catalogue, "alerts/channels")
    whole = classes == set(catalogue.classes)
    substances = set(catalogue.substances) if whole else set()
    subjects = classes | substances if whole else set()
    sheets = {template.format for template in catalogue.templates.values() if template.paper}
    faults: list[Fault] = []

    def known(path: str, key: str, used: Iterable[str], allowed: Collection[str], what: str) -> None:
        for word in used:
            if allowed and word not in allowed:
                remedy = nearest(word, allowed) if len(allowed) < 1000 else f"write the id of a {what} that exists"
                problem = f"'{word}' is no {what}"
                faults.append(Fault(file=shown.get(path, path), key=key, problem=problem, remedy=remedy))

    for source in catalogue.sources.values():
        place = next(p for p in ("drops", "feeds", "notices") if source.id in getattr(catalogue, p))
        known(f"sources/{place}/{source.id}.toml", "default_area", [source.default_area], areas, "area")
    for definition in catalogue.classes.values():
        path = f"sources/substances/{definition.id}.toml"
        known(path, "parent", [definition.parent] if definition.parent else [], classes, "class")
        known(path, "expected_sold_as", definition.expected_sold_as, subjects, "class or substance")
        for substance in definition.substances:
            used = [substance.metabolite_of] if substance.metabolite_of else []
            known(path, f"substances[{substance.id}].metabolite_of", used, substances, "substance")
    for rule in catalogue.rules.values():
        path = f"alerts/rules/{rule.id}.toml"
        known(path, "classes", rule.classes, classes, "class")
        known(path, "grade_suggested", [rule.grade_suggested] if rule.grade_suggested else [], grades, "grade")
    for advice in catalogue.advice.values():
        known(f"alerts/advice/{advice.id}.md", "applies_to", advice.applies_to, classes, "class")
    for scenario in catalogue.scenarios.values():
        sources = [drop.source for drop in scenario.drops]
        known(
            f"alerts/scenarios/{scenario.id}.toml", "drop.source", sources, _stems(catalogue, "sources/drops"), "drop"
        )
    for channel in catalogue.channels.values():
        known(f"alerts/channels/{channel.id}.toml", "attachments", channel.attachments, sheets, "printed format")
    if catalogue.routes:
        for number, route in enumerate(catalogue.routes.routes, start=1):
            place = f"route[{number}]"
            known("alerts/routes.toml", f"{place}.channels", route.channels, channels, "channel")
            known("alerts/routes.toml", f"{place}.attachments", route.attachments, sheets, "printed format")
            known("alerts/routes.toml", f"{place}.severities", route.severities, grades, "grade")
            least = [route.least_severity] if route.least_severity else []
            known("alerts/routes.toml", f"{place}.least_severity", least, grades, "grade")
            known("alerts/routes.toml", f"{place}.format", [route.format] if route.format else [], FORMATS, "format")
        night = [catalogue.routes.out_of_hours_from] if catalogue.routes.out_of_hours_from else []
        known("alerts/routes.toml", "out_of_hours_from", night, grades, "grade")
    return faults


def _stems(catalogue: Catalogue, folder: str) -> set[str]:
    """Ids by file name: a file that was refused for itself is not reported again by those who name it."""
    paths = (PurePosixPath(path) for path in catalogue.files)
    return {path.stem for path in paths if str(path.parent) == folder and str(path) != RESULTS}


def of_sources(catalogue: Catalogue, shown: Mapping[str, str]) -> list[Fault]:
    """A source id used twice, drop keys that no header is said to hold, headers that mean two columns."""
    kinds = {"feeds": catalogue.feeds, "drops": catalogue.drops, "notices": catalogue.notices}
    faults = [
        Fault(
            file=shown.get(f"sources/{second}/{both}.toml", f"sources/{second}/{both}.toml"),
            problem=f"sources/{first}/{both}.toml has the same id",
            remedy="write another file name for one of them",
        )
        for first, second in combinations(kinds, 2)
        for both in sorted(set(kinds[first]) & set(kinds[second]))
    ]
    for drop in catalogue.drops.values():
        path = f"sources/drops/{drop.id}.toml"
        faults += _of_headers(drop, shown.get(path, path))
    return faults


def _of_headers(drop: DropDefinition, file: str) -> list[Fault]:
    mapped = {column.column for column in drop.columns.values() if column.column}
    known = {*mapped, *drop.ignored, *drop.documented}
    faults = [
        Fault(file=file, key="key", problem=f"'{header}' is no header of this drop", remedy=nearest(header, known))
        for header in (*drop.key, *drop.key_where_given)
        if header not in known and get_close_matches(header, known, n=1, cutoff=0.8)
    ]
    meanings: dict[str, set[str]] = defaultdict(set)
    for column in drop.columns.values():
        for other in column.other_names if column.column else ():
            meanings[same_header(other)].add(column.column or "")
    for header, others in drop.key_other_names.items():
        if header not in (*drop.key, *drop.key_where_given):
            remedy = nearest(header, (*drop.key, *drop.key_where_given))
            faults.append(Fault(file=file, key=f"key_other_names.{header}", problem="not a key header", remedy=remedy))
        for other in others:
            meanings[same_header(other)].add(header)
    for other, owners in sorted(meanings.items()):
        also = owners | {header for header in known if same_header(header) == other}
        if len(also) > 1:
            problem = f"'{other}' means {' and '.join(sorted(also))}"
            faults.append(Fault(file=file, key="columns", problem=problem, remedy="write it as other name of one only"))
    return faults
