"""What alerts/scenarios/<id>.toml may say: the rows an exercise begins with, and how fast each step is meant to be.

The field descriptions are the documentation. Nothing here reads a file, a clock or a row.
"""

from __future__ import annotations

from pydantic import Field

from ewarn.catalogue.basics import FileId
from ewarn.terms import Frozen


class Targets(Frozen):
    """Minutes from the bytes to each step of an exercise."""

    signal: float = Field(2, gt=0, description="a rule has raised the signal")
    page: float = Field(5, gt=0, description="the page to the duty rota has been delivered")
    taken: float = Field(20, gt=0, description="somebody has taken the page")
    drafted: float = Field(45, gt=0, description="the first draft is written")
    submitted: float = Field(60, gt=0, description="it is put before the approvers")
    first_approval: float = Field(90, gt=0, description="the first of them has agreed")
    last_approval: float = Field(120, gt=0, description="the last one needed has agreed")
    first_delivery: float = Field(125, gt=0, description="the first recipient has it")
    last_delivery: float = Field(140, gt=0, description="the last recipient has it")
    last_answer: float = Field(1440, gt=0, description="the last recipient who answered has said so")


class ScenarioRow(Frozen):
    """One row of a file; {day} and {time} in a cell become the London day and time so many minutes before the start."""

    minutes_ago: float = Field(ge=0)
    cells: dict[str, str] = Field(min_length=1, description="the source's own header -> cell")


class ScenarioDrop(Frozen):
    source: FileId = Field(description="id of a drop under sources/drops/")
    rows: tuple[ScenarioRow, ...] = Field(min_length=1, alias="row")


class ScenarioDefinition(Frozen):
    """alerts/scenarios/<id>.toml: an exercise that `ewarn exercise start` can begin. Every row of it is made up."""

    id: FileId
    title: str
    why: str = Field(min_length=20, description="what is exercised, and what must happen")
    drops: tuple[ScenarioDrop, ...] = Field(min_length=1, alias="drop")
    targets: Targets | None = Field(None, description="other targets than those of alerts/routes.toml")
