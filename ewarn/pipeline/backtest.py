"""A rule tried on the past before it is switched on: what it says, what that asks of people, how soon, and how truly.

In: a house, a range of days, a rule by id (switched on or not) or in a file that is no content yet, and a file of
episodes. Out: a `BacktestStudy`. Writes nothing, but for `keep`, which puts the figures into the rule's own file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError

from ewarn.catalogue.definitions import RuleDefinition
from ewarn.errors import ContentFault, UsageFault
from ewarn.pipeline import naming, validate, walk
from ewarn.pipeline.asking import area_code, subject_id
from ewarn.pipeline.house import House
from ewarn.pipeline.reports import BacktestStudy, Confirmed, DutyLoad, LeadTime
from ewarn.review import borne_out, interruptions
from ewarn.review.episodes import Episode, named
from ewarn.store import cases
from ewarn.terms import Signal, london_day

Progress = Callable[[str], Any]
NAME_ONE = "Name a file that this user may read."


def study(
    house: House,
    start: date,
    end: date,
    *,
    rule: str | None = None,
    rule_file: Path | None = None,
    area: str | None = None,
    substance: str | None = None,
    history_from: date | None = None,
    episodes: Path | None = None,
    progress: Progress | None = None,
) -> BacktestStudy:
    """Everything about a stretch of the past. Raises: UsageFault, ContentFault."""
    wanted = episodes_in(episodes) if episodes else []
    if rule_file is not None:
        house, rules = with_rule(house, rule_file)
    else:
        rules = [r.model_copy(update={"enabled": True}) for r in validate.rules_of(house, rule)]
    area, substance = area_code(house, area), subject_id(house, substance)
    wanted = [_as_meant(house, episode) for episode in wanted]
    looked = validate.look_back(house, rules, start, end, history_from, progress)
    said = validate.said_then(house, looked, area, substance)
    if progress:
        progress("counting what it asks of people")
    found = walk.walked(house, looked.evaluation, looked.known, start, end)
    with house.db.read() as con:
        standing = cases.all(con)
    confirmed = _confirmed(said.signals, borne_out.outcomes(said.signals, standing, looked.known))
    return BacktestStudy(
        **dict(said),
        load=duty_load(found, start, end),
        lead_times=lead_times(house, wanted, said.signals),
        confirmed=confirmed,
        confirmed_share=confirmed.share,
    )


def with_rule(house: House, path: Path) -> tuple[House, list[RuleDefinition]]:
    """The house as if this file were one of its rules, and the rule. Raises: UsageFault, ContentFault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        rule = RuleDefinition.model_validate(data | {"id": path.stem, "enabled": True})
    except OSError as error:
        raise UsageFault(
            f"the rule's file cannot be read: {error.strerror}", where=str(path), next_step=NAME_ONE
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentFault(f"not valid TOML: {error}", where=str(path), next_step="Correct the file.") from error
    except ValidationError as error:
        faults = tuple(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ContentFault("; ".join(faults), where=str(path), next_step="Correct the keys.", faults=faults) from error
    catalogue = replace(house.catalogue, rules={**house.catalogue.rules, rule.id: rule})
    return House(house.settings, catalogue, house.db), [rule]


def episodes_in(path: Path) -> list[Episode]:
    """The episodes of a TOML file, each an [[episode]]. Raises: UsageFault."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("episode", [])
        found = [Episode.model_validate(row) for row in rows]
    except OSError as error:
        raise UsageFault(
            f"the file of episodes cannot be read: {error.strerror}", where=str(path), next_step=NAME_ONE
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, AttributeError, TypeError) as error:
        raise UsageFault(
            f"not a file of episodes: {str(error).splitlines()[0]}",
            where=str(path),
            next_step="Write [[episode]] with name, date, and area, substance or class.",
        ) from error
    if not found:
        raise UsageFault("the file holds no episode", where=str(path), next_step="Write at least one [[episode]].")
    return found


def _as_meant(house: House, episode: Episode) -> Episode:
    """The episode with the code and ids that its words stand for. Raises: UsageFault."""
    return episode.model_copy(
        update={
            "area": area_code(house, episode.area or None) or "",
            "substance": subject_id(house, episode.substance or None) or "",
            "class_id": subject_id(house, episode.class_id or None) or "",
        }
    )


def lead_times(house: House, episodes: Sequence[Episode], signals: Sequence[Signal]) -> tuple[LeadTime, ...]:
    """Per episode the first signal that names it."""
    codes = house.catalogue.areas["code"].to_list()
    around = {code: frozenset({code, *(a.code for a in house.catalogue.ancestors(code))}) for code in codes}
    return tuple(
        LeadTime(episode=one.episode.name, on=one.episode.on)
        if one.signal is None
        else LeadTime(
            episode=one.episode.name,
            on=one.episode.on,
            signal=one.signal.id,
            rule=one.signal.rule,
            raised_on=one.signal.first_raised_on,
            days=one.days,
        )
        for one in named(episodes, signals, house.catalogue.class_of, around)
    )


def duty_load(found: Any, start: date, end: date) -> DutyLoad:
    """In: the frame of interruptions, of which only ours are read."""
    ours = found.filter("ours")
    counted = interruptions.load(ours, start, end)
    rows = interruptions.by_rule(ours, start, end).to_dicts()
    return DutyLoad(**vars(counted), elsewhere=found.height - ours.height, kept=counted.kept, by_rule=tuple(rows))


def _confirmed(signals: Sequence[Signal], counted: Any) -> Confirmed:
    return Confirmed(
        by_case=counted[borne_out.BY_CASE],
        by_later_test=counted[borne_out.LATER],
        when_raised=counted[borne_out.WHEN_RAISED],
        not_borne_out=counted[borne_out.NOT_BORNE_OUT],
        not_known=counted[borne_out.NOT_KNOWN],
    )


def keep(house: House, rule: str | None, rule_file: Path | None, found: BacktestStudy, now: datetime) -> Path:
    """Put the figures into the rule's own file, as its [backtest] table; everything else in it stays as it is."""
    if rule_file is None and rule is None:
        raise UsageFault("figures are kept beside one rule", next_step="Name it with --rule or --rule-file.")
    if rule_file is not None:
        _write(rule_file, _with_figures(rule_file.read_text(encoding="utf-8-sig"), found, now))
        return rule_file
    relative = Path("alerts") / "rules" / f"{rule}.toml"
    target = naming.writable(house, relative)
    body = house.catalogue.files[relative.as_posix()].decode("utf-8-sig")
    naming.write_checked(house, target, _with_figures(body, found, now))
    return target


def _with_figures(body: str, found: BacktestStudy, now: datetime) -> str:
    """The file with its [backtest] table set anew, at its end; everything else as it was."""
    document = tomlkit.parse(body)
    figures: dict[str, Any] = {
        "made_on": london_day(now),
        "from": found.start,
        "to": found.end,
        "content": found.content_hash[:12],
        "signals_per_week": found.signals_per_week,
        "pages_per_week": found.load.pages,
        "items_per_week": found.load.items,
    }
    if found.confirmed_share is not None:
        figures["confirmed_share"] = found.confirmed_share
    days = {one.episode: one.days for one in found.lead_times if one.days is not None}
    missed = [one.episode for one in found.lead_times if one.days is None]
    table = tomlkit.table()
    for key, value in figures.items():
        table[key] = value
    if found.lead_times:
        table["lead_days"], table["not_named"] = days, missed
    document.pop("backtest", None)
    document["backtest"] = table
    return tomlkit.dumps(document)


def _write(target: Path, text: str) -> None:
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
