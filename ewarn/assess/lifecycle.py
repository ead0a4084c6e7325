"""The life of an alert: draft, review, approved, issued, updated, stood down or withdrawn. A table, and nothing else.

In: the versions of one alert, and which of them somebody has or may have received. Out: the next status, why a step is
refused, whether a version may still leave. It must never let a version leave that a later one has overtaken, nor
anything follow a warning that was ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from ewarn.errors import Refused
from ewarn.terms import Alert, AlertStatus, VersionKind


class Act(StrEnum):
    """What moves one version."""

    SUBMIT = "submit"
    AGREE = "agree"  # one more approval, and not the last one needed
    APPROVE = "approve"  # the last approval needed
    GO_OUT = "go out"  # the first delivery arrived
    OVERTAKE = "overtake"  # a later version took its place before anybody had it
    REPLACE = "replace"  # a later version went out in its place
    STAND_DOWN = "stand down"  # a version that stands down went out: this is its own move, and that of the one before
    WITHDRAW = "withdraw"


class Step(StrEnum):
    """What a person asks of an alert as a whole."""

    EDIT = "edit"
    UPDATE = "update"
    STAND_DOWN = "stand down"
    WITHDRAW = "withdraw"


S = AlertStatus
MOVES: dict[tuple[AlertStatus, Act], AlertStatus] = {
    (S.DRAFT, Act.SUBMIT): S.REVIEW,
    (S.DRAFT, Act.OVERTAKE): S.SUPERSEDED,
    (S.REVIEW, Act.AGREE): S.REVIEW,
    (S.REVIEW, Act.APPROVE): S.APPROVED,
    (S.REVIEW, Act.OVERTAKE): S.SUPERSEDED,
    (S.APPROVED, Act.AGREE): S.APPROVED,
    (S.APPROVED, Act.APPROVE): S.APPROVED,
    (S.APPROVED, Act.GO_OUT): S.ISSUED,
    (S.APPROVED, Act.OVERTAKE): S.SUPERSEDED,
    # A sender died over it: somebody may have it, and a later version has gone out since.
    (S.APPROVED, Act.REPLACE): S.UPDATED,
    (S.APPROVED, Act.STAND_DOWN): S.STOOD_DOWN,
    (S.APPROVED, Act.WITHDRAW): S.WITHDRAWN,
    (S.ISSUED, Act.AGREE): S.ISSUED,
    (S.ISSUED, Act.APPROVE): S.ISSUED,
    (S.ISSUED, Act.REPLACE): S.UPDATED,
    (S.ISSUED, Act.STAND_DOWN): S.STOOD_DOWN,
    (S.ISSUED, Act.WITHDRAW): S.WITHDRAWN,
}
OUT = (S.ISSUED, S.UPDATED, S.STOOD_DOWN, S.WITHDRAWN)
GOES_OUT_BY = {
    VersionKind.ALERT: Act.GO_OUT,
    VersionKind.UPDATE: Act.GO_OUT,
    VersionKind.STAND_DOWN: Act.STAND_DOWN,
    VersionKind.WITHDRAWAL: Act.WITHDRAW,
}
ENDS_THE_ONE_BEFORE_BY = GOES_OUT_BY | {VersionKind.ALERT: Act.REPLACE, VersionKind.UPDATE: Act.REPLACE}
STEP_OF = {VersionKind.STAND_DOWN: Step.STAND_DOWN, VersionKind.WITHDRAWAL: Step.WITHDRAW}


class Refusal(NamedTuple):
    what: str
    next_step: str


def moved(alert: Alert, act: Act) -> AlertStatus:
    """The status after this act. Raises: Refused where the table knows no such move."""
    found = MOVES.get((alert.status, act))
    if found is None:
        raise Refused(
            f"version {alert.version} is {alert.status.value}: it cannot {act.value}",
            where=alert.id,
            next_step=f"See 'ewarn alerts show {alert.id}'.",
        )
    return found


def out(versions: Sequence[Alert], reached: Collection[int]) -> Alert | None:
    """The newest version that somebody has or may have."""
    had = [v for v in versions if v.status in OUT or v.version in reached]
    return max(had, key=lambda v: v.version, default=None)


def ended(versions: Sequence[Alert]) -> Alert | None:
    """The version that stands the alert down or withdraws it, once it is approved."""
    ending = [v for v in versions if v.kind.closes and v.status in (S.APPROVED, *OUT)]
    return max(ending, key=lambda v: v.version, default=None)


def overtaken(version: int, versions: Sequence[Alert]) -> str:
    """Why this version must not leave any more, in words; '' where it is the newest that was approved."""
    later = [v for v in versions if v.version > version and v.status in (S.APPROVED, *OUT)]
    if not later:
        return ""
    newest = max(later, key=lambda v: v.version)
    said = {VersionKind.STAND_DOWN: "stands the alert down", VersionKind.WITHDRAWAL: "withdraws the alert"}
    return f"version {newest.version} {said.get(newest.kind, 'took its place')}"


def refusal(step: Step, versions: Sequence[Alert], reached: Collection[int]) -> Refusal | None:
    """Why a person cannot take this step with the alert as it stands, and what to do; None where they can."""
    newest = max(versions, key=lambda v: v.version)
    had, over = out(versions, reached), ended(versions)
    if over is not None and (step is not Step.EDIT or over.version in reached or over.status in OUT):
        how = "stood down" if over.kind is VersionKind.STAND_DOWN else "withdrawn"
        return Refusal(f"this alert is {how} by version {over.version}", "Draft a new one.")
    if step is Step.EDIT:
        return _no_edit(newest, had)
    if had is None:
        return Refusal("nobody has received this alert yet", f"Change it before it goes out: ewarn edit {newest.id}")
    if newest.version == had.version:
        return None
    if step is Step.UPDATE or STEP_OF.get(newest.kind) is step:
        words = f"version {newest.version} ({newest.kind.value}, {newest.status.value}) is on its way already"
        return Refusal(words, f"Change that one: ewarn edit {newest.id}")
    return None


def _no_edit(newest: Alert, had: Alert | None) -> Refusal | None:
    if had is not None and had.version == newest.version:
        words = f"version {newest.version} has gone out, or may have"
        return Refusal(words, f"Write the next one: ewarn update {newest.id}")
    return None


def left_behind(versions: Sequence[Alert], reached: Collection[int]) -> list[Alert]:
    """The versions nobody has that a new version overtakes."""
    had = out(versions, reached)
    since = had.version if had else 0
    return [v for v in versions if v.version > since and (v.status, Act.OVERTAKE) in MOVES]
