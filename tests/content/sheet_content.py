"""An alert object with everything in it, as printed sheets get it, and the parts that a person could write too long."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ADVICE = Path(__file__).resolve().parent.parent.parent / "alerts" / "advice"


def advice(name: str) -> dict[str, Any]:
    _, head, text = (ADVICE / f"{name}.md").read_text().split("+++\n", 2)
    told = tomllib.loads(head)
    return {"id": name, "version": told["version"], "title": told["title"], "html": "", "text": text.strip()}


def clinical(name: str) -> dict[str, Any]:
    told = tomllib.loads((ADVICE / f"{name}.md").read_text().split("+++\n", 2)[1])
    sources = [{"title": s["title"], "url": s.get("url", ""), "dated": ""} for s in told["sources"]]
    days = {"dated": str(told["dated"]), "review_by": str(told["review_by"])}
    return advice(name) | days | {"owner": told["owner"], "sources": sources}


def content(**changes: Any) -> dict[str, Any]:
    return {
        "reference": "LDN-2025-0007",
        "alert_id": "LDN-2025-0007/A1",
        "version": 1,
        "issuer": "Camden LDIS",
        "standing": "actual",
        "product": "formal alert",
        "date": "2025-03-03",
        "area": {"code": "E09000007", "name": "Camden", "tier": "borough"},
        "also_possible": ["Islington"],
        "headline": "Metonitazene found in drugs sold as heroin or diazepam in Camden; overdoses reported",
        "what_happened": [
            "On 3 March 2025, 12 people were reported to have overdosed in or near Camden.",
            "Of these, 3 people died.",
            "Kinds of setting reported: hostel and street.",
        ],
        "figures": [
            {"label": "People who died", "value": 3, "signal": "ab12", "records": ["r1"]},
            {"label": "People affected, at least", "value": 12, "signal": "ab12", "records": ["r1", "r2"]},
        ],
        "verification": {
            "event": {"level": "confirmed", "words": "Confirmed: an organisation that treated people reported it."},
            "substance": {"level": "unverified", "words": "We do not have confirmation of the drug involved."},
            "link": {"level": "unverified", "words": "We do not know whether this drug caused harm."},
        },
        "sold_as": ["heroin", "diazepam"],
        "found": [
            {"name": "Metonitazene", "role": "major", "presumptive": False, "method": "LC-MS"},
            {"name": "Bromazolam", "role": "minor", "presumptive": True, "method": "test strip"},
        ],
        "analyses": [
            {"name": "Metonitazene", "role": "major", "method": "LC-MS", "test": "confirmatory method"},
            {"name": "Bromazolam", "role": "minor", "method": "test strip", "test": "quick test, not confirmed"},
        ],
        "series": {
            "title": "Reports of overdoses, week by week",
            "weeks": [["2025-02-10", 1], ["2025-02-17", 0], ["2025-02-24", 2], ["2025-03-03", 12]],
        },
        "clinical": [clinical(f"clinical-{what}") for what in ("naloxone", "presentation", "samples")],
        "appearance": ["powder, brown", "tablet, blue, marked D 10"],
        "at_risk": "Anyone who uses drugs sold as heroin or diazepam in or near Camden.",
        "signs": advice("overdose-signs"),
        "advice": [advice("drug-checking"), advice("harm-reduction"), advice("strips-nitazene")],
        "emergency": advice("naloxone-999"),
        "what_happened_public": ["On 3 March 2025, about 10 people were reported to have overdosed."],
        "report_back": "Please tell Camden LDIS: reply and quote LDN-2025-0007.",
        "marking": "TLP:AMBER",
        "audience": "Professionals who work with people who use drugs. Not for publication.",
        "review_on": "2025-03-17",
        "expires_on": "2025-03-31",
        "replaces": None,
        "kind": "alert",
        "watermark": "",
        "origin": "",
        "verify": "https://alerts.example.org/verify/LDN-2025-0007",
    } | changes


WORDY = " ".join(f"word{number}" for number in range(400))
LONG: dict[str, Any] = {
    "headline": WORDY,
    "what_happened": [WORDY] * 5,
    "appearance": [WORDY] * 4,
    "at_risk": WORDY,
    "report_back": WORDY,
    "advice": [{**advice("harm-reduction"), "text": WORDY}, {**advice("drug-checking"), "text": WORDY}],
    "signs": {**advice("overdose-signs"), "text": WORDY},
    "emergency": {**advice("naloxone-999"), "text": advice("naloxone-999")["text"] + f"\n\n- {WORDY}"},
}
