"""Content becomes a Catalogue.

In: a content folder (sources/ and alerts/) and optionally a home's overlay of single files. Out: one frozen Catalogue
with its hash, or every fault of every file at once. The catalogue never writes, never guesses and never fetches.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import polars as pl

from ewarn.catalogue import crosschecks, reading, tables
from ewarn.catalogue import files as content_files
from ewarn.catalogue.catalogue import Catalogue
from ewarn.catalogue.definitions import (
    AdviceDefinition,
    ChannelDefinition,
    ClassDefinition,
    DropDefinition,
    FeedDefinition,
    GradingDefinition,
    NoticeDefinition,
    ResultsDefinition,
    RoutesDefinition,
    RuleDefinition,
    ScenarioDefinition,
    TemplateDefinition,
)
from ewarn.catalogue.faults import Fault
from ewarn.catalogue.wording import WordingDefinition
from ewarn.errors import ContentFault
from ewarn.frames import empty

__all__ = ["Catalogue", "Fault", "check", "load"]


def load(content: Path, overlay: Path | None = None) -> Catalogue:
    """All content, typed and cross-checked; the same bytes twice are read once per process.

    Raises: ContentFault with every fault of every file.
    """
    catalogue, faults = _judged(content, overlay)
    if faults:
        raise ContentFault(
            f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in content: {faults[0]}",
            where=str(content),
            next_step="Correct what `ewarn check` lists.",
            faults=tuple(map(str, faults)),
        )
    return catalogue


def check(content: Path, overlay: Path | None = None) -> list[Fault]:
    """Every fault of every file, in order of file; never raises."""
    return list(_judged(content, overlay)[1])


def _judged(content: Path, overlay: Path | None) -> tuple[Catalogue, tuple[Fault, ...]]:
    gathered = content_files.gather(content, overlay)
    catalogue, faults = _assembled(tuple(gathered.files.items()), tuple(gathered.shown.items()), gathered.content_hash)
    return catalogue, tuple(sorted({*gathered.faults, *faults}, key=lambda f: (f.file, f.key, f.problem)))


@lru_cache(maxsize=4)
def _assembled(
    files: tuple[tuple[str, bytes], ...], shown: tuple[tuple[str, str], ...], content_hash: str
) -> tuple[Catalogue, tuple[Fault, ...]]:
    content = content_files.Content(files=dict(files), shown=dict(shown), content_hash=content_hash)
    faults: list[Fault] = []
    results = reading.single(content, content_files.RESULTS, ResultsDefinition, faults)
    frames = {Path(path).stem: _table(content, path, faults) for path in content_files.TABLES}
    catalogue = Catalogue(
        feeds=reading.folder(content, "sources/feeds", FeedDefinition, faults),
        drops=reading.folder(content, "sources/drops", DropDefinition, faults),
        notices=reading.folder(content, "sources/notices", NoticeDefinition, faults),
        classes=reading.folder(content, "sources/substances", ClassDefinition, faults),
        statuses={status.id: status for status in results.statuses} if results else {},
        areas=frames["areas"],
        neighbours=frames["neighbours"],
        outcodes=frames["outcodes"],
        placenames=frames["placenames"],
        squares=frames["squares"],
        rules=reading.folder(content, "alerts/rules", RuleDefinition, faults),
        advice=reading.folder(content, "alerts/advice", AdviceDefinition, faults),
        templates=reading.folder(content, "alerts/templates", TemplateDefinition, faults),
        channels=reading.folder(content, "alerts/channels", ChannelDefinition, faults),
        scenarios=reading.folder(content, "alerts/scenarios", ScenarioDefinition, faults),
        routes=reading.single(content, "alerts/routes.toml", RoutesDefinition, faults),  # type: ignore[arg-type]
        grading=reading.single(content, "alerts/grading.toml", GradingDefinition, faults),  # type: ignore[arg-type]
        wording=reading.single(content, content_files.WORDING, WordingDefinition, faults) or WordingDefinition(),
        content_hash=content_hash,
        files=content.files,
    )
    return catalogue, tuple(faults + _between(catalogue, content))


def _table(content: content_files.Content, path: str, faults: list[Fault]) -> pl.DataFrame:
    name = Path(path).stem
    if path not in content.files:
        return empty(name)
    frame, found = tables.read(name, content.files[path], content.name(path))
    faults.extend(found)
    if not found and frame.is_empty():
        faults.append(Fault(file=content.name(path), problem="holds no row", remedy="write at least one area"))
    return frame


def _between(catalogue: Catalogue, content: content_files.Content) -> list[Fault]:
    """Faults that only show when files are held against one another."""
    areas, neighbours, outcodes, placenames, squares = (content.name(path) for path in content_files.TABLES)
    return [
        *crosschecks.of_names(catalogue.classes, catalogue.statuses, content.shown),
        *crosschecks.of_references(catalogue, content.shown),
        *crosschecks.of_sources(catalogue, content.shown),
        *tables.area_faults(catalogue.areas, areas),
        *tables.neighbour_faults(catalogue.neighbours, catalogue.areas, neighbours),
        *tables.outcode_faults(catalogue.outcodes, catalogue.areas, outcodes),
        *tables.placename_faults(catalogue.placenames, catalogue.areas, placenames),
        *tables.square_faults(catalogue.squares, catalogue.areas, squares),
    ]
