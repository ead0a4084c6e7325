"""A photograph in a text: words for those who do not see it, and a scale beside the drug.

In: an alert. Out: findings where one is missing or tells what the public may not read. It never sees the picture: that
no person, place or seller stands in it is for the people who approve it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ewarn.assess.lint.finding import Finding, error, warning
from ewarn.disclosure.counts import told
from ewarn.terms import Alert

SHORT = 15
CLEAR = "TLP:CLEAR"


def photograph(alert: Alert) -> Iterator[Finding]:
    photo = alert.content.get("photo")
    if not photo:
        return
    again = f"attach it again: ewarn photo attach {alert.id} --alt TEXT --scale TEXT"
    alt, scale = str(photo.get("alt", "")).strip(), str(photo.get("scale", "")).strip()
    if not alt:
        yield error("missing", "photo.alt", "no words for those who do not see the photograph", f"Say it and {again}.")
    elif len(alt) < SHORT:
        what = f"'{alt}' says too little to those who do not see the photograph"
        yield warning("missing", "photo.alt", what, "Say form, colour and imprint.")
    if not scale:
        yield error(
            "missing", "photo.scale", "nothing says how large the drug is", f"Say what gives the scale, {again}."
        )
    if not photo.get("released"):
        return
    if counts := [hit.words for key in (alt, scale) for hit in told(key)]:
        what = f"the public does not get the photograph, its words tell a count: '{counts[0]}'"
        yield warning("public-count", "photo.alt", what, "Leave the count out.")
    if alert.content.get("marking") != CLEAR:
        what = f"released to the public in a text marked {alert.content.get('marking')}"
        yield warning("released", "photo", what, f"Nobody of the public gets it until the text is {CLEAR}.")
