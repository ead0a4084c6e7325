"""The text checker: what it finds in labelled sentences, what it asks of a draft, and that a plain draft passes."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import pytest

from ewarn import catalogue as content
from ewarn.assess import cases, draft, lint
from ewarn.assess.facts import Event, Facts, Found, Origin, Sample
from ewarn.assess.lint import reading, wording
from ewarn.disclosure import never
from ewarn.terms import Alert, Product, Signal, Standing, Verification

ROOT = Path(__file__).resolve().parent.parent.parent
LABELLED = list(csv.DictReader((Path(__file__).parent / "sentences.csv").read_text().splitlines()))
CODES = {"personal": "personal-data", "advertising": "advertising"}
DAY = date(2027, 3, 3)
NOW = datetime(2027, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped():
    return content.load(ROOT)


def kinds(sentence: str, shipped) -> set[str]:
    hits = {hit.kind for hit in never.hits(sentence)}
    listed = wording._listed("advertising", "x", sentence, shipped.wording.advertising)
    return hits | {finding.code for finding in listed}


def test_recall_and_precision_over_the_labelled_sentences(shipped):
    """Our own sentences, invented: 32 that name a person, 22 that advertise, 40 that may go out."""
    assert len(LABELLED) >= 60
    told: Counter[str] = Counter()
    missed, wrong = [], []
    for row in LABELLED:
        found, wanted = kinds(row["sentence"], shipped), CODES.get(row["label"])
        for code in CODES.values():
            right = (code in found, code == wanted)
            told[f"{code} {'tp' if all(right) else 'fp' if right[0] else 'fn' if right[1] else 'tn'}"] += 1
        missed += [row["sentence"]] if wanted and wanted not in found else []
        wrong += [row["sentence"]] if found - {wanted} else []
    for code in CODES.values():
        hits = told[f"{code} tp"]
        assert hits / (hits + told[f"{code} fn"]) >= 0.95, missed
        assert hits / (hits + told[f"{code} fp"]) >= 0.98, wrong


def test_what_identifies_a_batch_may_be_said():
    for words in ("Imprint M30 and a Tesla logo, photographed beside a 1 cm scale.", "5.2 mg metonitazene a tablet."):
        assert never.hits(words) == []


def test_the_last_barrier_takes_persons_out_of_every_part_and_offers_out_of_what_data_filled():
    held = {
        "sold_as": ["heroin from @goodstuff £10"],
        "appearance": ["tablet, blue, marked M30"],
        "headline": "Sarah Jones died; sold on Telegram",
        "figures": [{"label": "People who died", "value": 3, "records": ["r1"]}],
    }
    shown = never.last_barrier(held)
    assert shown["sold_as"] == ["heroin from [left out] [left out]"] and shown["appearance"] == held["appearance"]
    assert shown["headline"] == "[left out] died; sold on Telegram" and shown["figures"] == held["figures"]


LAB, AMBULANCE = Origin("Laboratory", "drug checking"), Origin("Ambulance", "ambulance")


def some_facts(subject: str, persons: int, dead: int, samples: int, sold: str, setting: str, analysed: bool) -> Facts:
    events = [Event(f"e{n}", AMBULANCE, "fatal" if n < dead else "non-fatal", 1, False, setting, DAY, DAY, "Camden")
              for n in range(persons)]  # fmt: skip
    rows = [Sample(f"s{n}", LAB, sold, "tablet", "blue", "M30", DAY, "Camden") for n in range(samples)]
    role = "major" if analysed else "suspected"
    found = [Found(s.record, LAB, subject, "nitazene", subject, role, False, "GC-MS", False, True) for s in rows]
    return Facts(events=tuple(events), samples=tuple(rows), found=tuple(found) if subject else ())


SHORT = (("metonitazene", ""), (0, 6, 33), (0, 3), (0, 2), ("diazepam",))
LONG = (("metonitazene", "cychlorphine", ""), (0, 1, 6, 33), (0, 1, 3), (0, 1, 2, 12), ("heroin", "diazepam", ""))


def drafts(shipped, choices):
    """Many standard drafts: harms and samples, few and many, known and unknown drugs, every product."""
    grid = product(*choices, Product)
    for subject, persons, dead, samples, sold, kind in grid:
        if kind is Product.CONTACT_TEST or dead > persons or not (persons or samples) or (samples and not subject):
            continue
        facts = some_facts(subject, persons, dead, samples, sold, "hostel", analysed=True)
        yield write(shipped, facts, subject, kind)


def write(shipped, facts, subject, kind, sure=None) -> Alert:
    records = [e.record for e in facts.events] + [s.record for s in facts.samples]
    rule = "first-in-area" if subject else "cluster-24h-area"
    signal = Signal.model_validate({
        "id": "sig", "rule": rule, "family": shipped.rules[rule].family, "subject": shipped.subject(subject),
        "area": shipped.area_ref("E09000007"), "period": {"start": DAY, "end": DAY}, "observed": 5.0,
        "records": records, "record_count": len(records), "why": "x", "known_on": DAY, "first_raised_on": DAY,
        "standing": Standing.ACTUAL,
    })  # fmt: skip
    case = cases.place([("new", signal)], [], shipped, "LDN", NOW, lambda year: f"LDN-{year}-0001").changes[0].case
    held = sure or (Verification.CONFIRMED if facts.samples else Verification.UNVERIFIED)
    case = case.model_copy(update={"verification_substance": held, "verification_event": Verification.CONFIRMED})
    return draft.write(case, shipped, kind, "ann", NOW, facts, issuer_name="London drug information service")


@pytest.mark.parametrize(
    ("choices", "fewest"), [(SHORT, 20), pytest.param(LONG, 300, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_standard_drafts_pass_with_no_error_and_two_warnings_at_most(shipped, choices, fewest):
    made = list(drafts(shipped, choices))
    assert len(made) > fewest
    for alert in made:
        found = lint.findings(alert, shipped)
        assert [f for f in found if f.blocking] == [], (alert.content["what_happened"], found)
        assert len(found) <= 2, found


def changed(alert: Alert, **changes) -> Alert:
    return alert.model_copy(update={"content": {**alert.content, **changes}})


@pytest.fixture(scope="module")
def plain(shipped) -> Alert:
    return write(shipped, some_facts("metonitazene", 6, 3, 0, "", "hostel", analysed=False), "metonitazene",
                 Product.FORMAL_ALERT)  # fmt: skip


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("what_happened", ["Laboratory analysis has confirmed metonitazene."]),
        ("headline", "Metonitazene found in Camden"),
        ("headline", "Confirmed: metonitazene in Camden"),
        ("what_happened", ["The deaths were caused by metonitazene."]),
        ("at_risk", "Metonitazene is proven to be about."),
    ],
)
def test_a_text_that_claims_more_than_is_held_is_found(plain, shipped, part, words):
    (finding,) = [f for f in lint.findings(changed(plain, **{part: words}), shipped) if f.code == "verification"]
    assert finding.blocking and finding.overridable and finding.instead


@pytest.mark.parametrize(
    "words",
    [
        "Metonitazene is suspected, not confirmed.",
        "We do not have confirmation of the drug involved.",
        "The ambulance service confirmed that 6 people overdosed.",
        "We are awaiting confirmed results.",
    ],
)
def test_what_denies_or_speaks_of_the_event_claims_nothing(plain, shipped, words):
    found = lint.findings(changed(plain, what_happened=[words]), shipped)
    assert not [f for f in found if f.code == "verification"]


def test_a_case_that_is_less_sure_now_stops_the_text_and_one_that_is_surer_does_not(plain, shipped):
    levels = {"event": "unverified", "substance": "confirmed", "link": "unverified"}
    found = [f for f in lint.findings(plain, shipped, lint.Known(levels=levels)) if f.code == "verification"]
    assert {(f.where, f.blocking) for f in found} == {("verification.event", True), ("verification.substance", False)}


def test_a_hard_text_is_named_with_its_worst_sentence_and_plainer_words(plain, shipped):
    hard = (
        "Additionally, individuals demonstrating respiratory depression subsequently require immediate administration "
        "of supplementary pharmacological antagonists in order to facilitate resuscitation prior to hospitalisation, "
        "notwithstanding considerable heterogeneity regarding polysubstance consumption characteristics."
    )
    found = [f for f in lint.findings(changed(plain, at_risk=" ".join([hard] * 6)), shipped) if f.code == "reading-age"]
    assert {f.where for f in found} == {"professional text", "public text"} and not any(f.blocking for f in found)
    assert "Additionally, individuals" in found[0].what and "'before' for 'prior to'" in found[0].instead


@pytest.mark.parametrize(
    ("word", "count"),
    [("drug", 1), ("people", 2), ("overdose", 3), ("breathe", 1), ("emergency", 4), ("reported", 3), ("ambulance", 3),
     ("someone", 2), ("alone", 2), ("laboratory", 5), ("information", 4), ("given", 2), ("stopped", 1)],
)  # fmt: skip
def test_syllables_are_counted_within_one(word, count):
    assert abs(reading.syllables(word) - count) <= 1


def test_the_formula_is_flesch_kincaid_and_five():
    """14 words of one syllable in two sentences: 0.39 x 7 + 11.8 x 1 - 15.59 + 5."""
    assert reading.reading_age(["Do not use it on your own.", "Call for help and stay with them."]) == pytest.approx(
        0.39 * 7 + 11.8 - 15.59 + 5, abs=0.6
    )


def test_stigma_is_a_warning_with_the_words_to_write(plain, shipped):
    found = lint.findings(changed(plain, at_risk="Drug users and addicts in hostels."), shipped)
    told = [f for f in found if f.code == "stigma"]
    assert {"Write 'people who are dependent on drugs'.", "Write 'people who use drugs'."} <= {f.instead for f in told}
    assert not any(f.blocking for f in told)


def test_a_count_that_the_public_may_not_read_is_named_with_its_line(plain, shipped):
    found = lint.findings(changed(plain, headline="Three deaths in Camden"), shipped)
    (told,) = [f for f in found if f.code == "public-count"]
    assert told.where == "headline" and "Three deaths" in told.what and not told.blocking


def test_classification_is_inherited_and_cannot_be_lowered(plain, shipped):
    known = lint.Known(marking="TLP:AMBER", classification="OFFICIAL-SENSITIVE")
    (finding,) = [f for f in lint.findings(plain, shipped, known) if f.blocking]
    assert finding.code == "handling" and not finding.overridable
    marked = changed(plain, classification="OFFICIAL-SENSITIVE")
    assert not [f for f in lint.findings(marked, shipped, known) if f.blocking]
