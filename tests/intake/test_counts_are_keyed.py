"""A count is keyed on a day and an area, however a file spells them."""

from __future__ import annotations

from collections.abc import Callable

from ewarn.catalogue.definitions import DropDefinition
from ewarn.intake import Staged
from ewarn.terms import canonical

Stage = Callable[..., Staged]


def test_a_day_and_an_area_in_two_spellings_are_one_key(stage: Stage, count_drop: DropDefinition) -> None:
    drop = count_drop.model_copy(update={"date_formats": ("%Y-%m-%d", "%d/%m/%Y")})
    ours = stage(drop, "area,date,count\nE09000007,2025-03-01,4\n").records.to_dicts()[0]
    theirs = stage(drop, "area,date,count\n e09000007 ,01/03/2025,4\n").records.to_dicts()[0]
    revised = stage(drop, "area,date,count\ne09000007,01/03/2025,5\n").records.to_dicts()[0]
    assert ours["key"] == theirs["key"] == revised["key"]
    assert ours["key"] == canonical({"area": "E09000007", "date": "2025-03-01"}).decode()
    assert ours["content_hash"] == theirs["content_hash"] != revised["content_hash"]


def test_another_day_and_another_area_are_other_keys(stage: Stage, count_drop: DropDefinition) -> None:
    drop = count_drop.model_copy(update={"date_formats": ("%Y-%m-%d", "%d/%m/%Y")})
    body = "area,date,count\nE09000007,2025-03-01,4\nE09000007,03/01/2025,4\nE09000033,2025-03-01,4\n"
    assert stage(drop, body).records["key"].n_unique() == 3
