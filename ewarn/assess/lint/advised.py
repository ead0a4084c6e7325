"""The advice a text carries: in force, and within its day of review.

In: an alert and the catalogue's advice. Out: findings. It must never judge the advice itself: its owner does.
"""

from __future__ import annotations

from collections.abc import Iterator

from ewarn.assess.lint.finding import Finding, error
from ewarn.assess.lint.required import day
from ewarn.catalogue import Catalogue
from ewarn.terms import Alert


def superseded(alert: Alert, catalogue: Catalogue) -> list[tuple[str, int, int | None]]:
    """Advice a text carries in a version that is not in force: id, its version, the one in force (None: no more)."""
    found = []
    for advice_id, version in sorted(alert.advice_versions.items()):
        text = catalogue.advice.get(advice_id)
        if text is None or text.version != version:
            found.append((advice_id, version, text.version if text else None))
    return found


def advice(alert: Alert, catalogue: Catalogue) -> Iterator[Finding]:
    gone = {advice_id: version for advice_id, version, _ in superseded(alert, catalogue)}
    issued = day(alert, "date")
    for advice_id in sorted(alert.advice_versions):
        where, text = f"advice {advice_id}", catalogue.advice.get(advice_id)
        if advice_id in gone:
            what = f"version {gone[advice_id]} is no longer in force"
            yield error("advice-version", where, what, "Edit the text, which takes the version in force.")
        elif text is not None and issued is not None and text.review_by < issued:
            yield error(
                "advice-review", where, f"was to be reviewed by {text.review_by}", f"Ask {text.owner} to review it."
            )
