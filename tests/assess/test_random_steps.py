"""Cases and texts moved at random by many people reach no illegal state; a fault planted in any one rule is found."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from ewarn.assess import caseload, cases, decide, joining, lifecycle
from ewarn.assess.lifecycle import Act
from ewarn.terms import AlertStatus
from tests.assess.legal import Illegal, after_a_step
from tests.assess.walking import ACTS, Desk

LENGTH = 250  # steps at one desk, before the next one begins with nothing


def walk(catalogue: Any, make_signal: Any, seed: int, steps: int) -> Counter[str]:
    """Raises: Illegal with the seed and the steps that led there."""
    counted: Counter[str] = Counter()
    for begun in range(0, steps, LENGTH):
        desk = Desk(catalogue, make_signal, Random(seed * 1_000_003 + begun))
        trail: list[str] = []
        for _ in range(min(LENGTH, steps - begun)):
            before = dict(desk.cases), {k: list(v) for k, v in desk.alerts.items()}, len(desk.done), len(desk.left)
            trail.append(desk.step())
            try:
                after_a_step(desk, *before)
            except Illegal as illegal:
                raise Illegal(f"seed {seed}, desk {begun}: {illegal}; after {trail[-12:]}") from illegal
        counted += desk.counted
    return counted


def test_random_steps_of_cases_and_texts_reach_no_illegal_state(catalogue: Any, make_signal: Any) -> None:
    counted = walk(catalogue, make_signal, seed=1, steps=4_000)
    assert {act for act in ACTS if not counted[act]} == set(), "an act was never let through"
    assert counted["left"] > 50 and counted["approve: refused"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_a_hundred_thousand_random_steps_reach_no_illegal_state(catalogue: Any, make_signal: Any, seed: int) -> None:
    counted = walk(catalogue, make_signal, seed, steps=25_000)
    assert min(counted[act] for act in ACTS) >= 20, counted


def approvals_of_any_version(alert: Any, decisions: Any) -> Any:
    found = {d.person: d for d in decisions if d.act in decide.APPROVING}
    return tuple(found.values())


def merged_but_one(kept: Any, gone: Any, *more: Any) -> Any:
    merged, ended = MERGE(kept, gone, *more)
    return merged.model_copy(update={"signals": merged.signals[:1]}), ended


MERGE = caseload.merge
STAYS = dict.fromkeys(lifecycle.GOES_OUT_BY, Act.GO_OUT)
AT_ONCE = {**lifecycle.MOVES, (AlertStatus.DRAFT, Act.SUBMIT): AlertStatus.APPROVED}
PLANTED = {
    "approvals of another version count": [(decide, "approvals", approvals_of_any_version)],
    "one's own text may be approved": [(decide, "authors", lambda *_: set())],
    "one approval is enough": [(decide, "needed", lambda _: 1)],
    "every area is one's own": [(decide, "covers", lambda *_: True)],
    "any hash will do": [(decide, "_same_text", lambda *_: None)],
    "alone at any hour": [(decide, "_out_of_hours_allowed", lambda *_: None)],
    "an overtaken version leaves": [(lifecycle, "overtaken", lambda *_: "")],
    "nothing gives way to a new version": [(lifecycle, "left_behind", lambda *_: [])],
    "every step is open": [(lifecycle, "refusal", lambda *_: None)],
    "the one before stays in force": [(lifecycle, "ENDS_THE_ONE_BEFORE_BY", STAYS)],
    "a draft is approved": [(lifecycle, "MOVES", AT_ONCE)],
    "a closed case takes acts": [(cases, "still_open", lambda _: None), (caseload, "still_open", lambda _: None)],
    "what is an exercise joins what is real": [(joining, "meets", lambda *_: "it is one")],
    "merging loses signals": [(caseload, "merge", merged_but_one)],
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(catalogue: Any, make_signal: Any, monkeypatch: Any, fault: str) -> None:
    for where, name, planted in PLANTED[fault]:
        monkeypatch.setattr(where, name, planted)
    with pytest.raises((Illegal, AssertionError)):
        walk(catalogue, make_signal, seed=1, steps=6_000)
