"""Drafts say what is known and how sure; the checker finds what must not go out."""

from __future__ import annotations

from datetime import date

import pytest

from ewarn.assess import cases, draft, lint
from ewarn.assess.facts import Event, Facts, Found, Origin, Sample
from ewarn.disclosure.suppress import for_audience
from ewarn.errors import UsageFault
from ewarn.terms import AlertStatus, Product, Standing, Verification

LAB, AMBULANCE = Origin("WEDINOS", "drug checking"), Origin("London Ambulance", "ambulance")
DAY = date(2025, 3, 3)
SAMPLES = (
    Sample("r1", LAB, "heroin", "powder", "brown", "", DAY, "Camden"),
    Sample("r2", LAB, "diazepam", "tablet", "blue", "D10", date(2025, 3, 1), "Camden"),
)
FOUND = tuple(
    Found(record, LAB, subject, "nitazene", subject, role, False, "GC-MS", False)
    for record, subject, role in (("r1", "metonitazene", "major"), ("r2", "metonitazene", "minor"))
)
TWELVE = (Event("e1", AMBULANCE, "non-fatal", 12, True, "hostel", DAY, DAY, "Camden"),)


@pytest.fixture
def write(catalogue, make_signal, now, next_ref):
    def run(facts: Facts, subject: str = "metonitazene", product=Product.FORMAL_ALERT, **more):
        standing = more.pop("standing", "actual")
        verified = more.pop("substance", Verification.CONFIRMED)
        records = [s.record for s in facts.samples] + [e.record for e in facts.events] or ["r1"]
        signal = make_signal(
            "sig", "first-in-borough" if subject else "cluster-24h", subject, records=records, standing=standing
        )
        case = cases.place([("new", signal)], [], catalogue, "LDN", now, next_ref).changes[0].case
        case = case.model_copy(update={"verification_substance": verified})
        return draft.write(case, catalogue, product, "ann", now, facts, issuer_name="London service", **more)

    return run


def test_a_laboratory_draft_says_found_sold_as_and_appearance(write):
    content = write(Facts(samples=SAMPLES, found=FOUND)).content
    assert content["headline"] == "Metonitazene found in drugs sold as heroin or diazepam in Camden"
    assert content["what_happened"] == [
        "Between 1 March 2025 and 3 March 2025, 2 samples from or near Camden were found to contain metonitazene."
    ]
    assert content["sold_as"] == ["heroin", "diazepam"]
    assert content["found"] == [{"name": "metonitazene", "role": "major", "presumptive": False}]
    assert content["appearance"] == ["powder, brown", "tablet, blue, marked D10"]
    assert content["at_risk"] == "Anyone who uses drugs sold as heroin or diazepam in or near Camden."


def test_deaths_are_said_as_deaths_and_counts_across_streams_as_at_least_and_at_most(write):
    died = tuple(Event(f"d{n}", AMBULANCE, "fatal", 1, False, "home", DAY, DAY, "Camden") for n in range(3))
    only = write(Facts(events=died), "").content
    assert only["headline"] == "Deaths in Camden, drug not confirmed"
    assert only["what_happened"] == ["On 3 March 2025, 3 people were reported to have died in or near Camden."]
    assert for_audience(only, "public")["what_happened"] == [
        "On 3 March 2025, fewer than 8 people were reported to have overdosed or died in or near Camden.",
        "Deaths are among them.",
    ]
    seen_twice = (
        *died,
        *TWELVE,
        Event("o1", Origin("Night team", "outreach"), "non-fatal", 2, False, "hostel", DAY, DAY, ""),
    )
    mixed = write(Facts(events=seen_twice), "").content
    assert mixed["what_happened"] == [
        "On 3 March 2025, between 15 and 17 people were reported to have overdosed in or near Camden.",
        "Of these, 3 people died.",
        "Kinds of setting reported: hostel.",
    ]
    assert [(f["label"], f["value"]) for f in mixed["figures"]] == [
        ("People who died", 3),
        ("People affected, at least", 15),
        ("People affected, at most", 17),
    ]


def test_an_unknown_drug_is_said_to_be_unknown(write):
    alert = write(Facts(events=TWELVE), subject="", substance=Verification.UNVERIFIED)
    assert alert.content["headline"] == "Overdoses in Camden, drug not confirmed"
    assert alert.content["what_happened"][0] == (
        "On 3 March 2025, 12 people were reported to have overdosed in or near Camden."
    )
    assert alert.content["verification"]["substance"]["words"] == "We do not have confirmation of the drug involved."
    assert alert.content["found"] == []


def test_a_suspected_drug_is_never_called_found(write):
    said = Found("e1", AMBULANCE, "metonitazene", "nitazene", "metonitazene", "suspected", None, "", True)
    content = write(Facts(events=TWELVE, found=(said,)), substance=Verification.UNVERIFIED).content
    assert "suspected" in content["headline"] and content["found"] == []
    assert any("suspect metonitazene. This is not an analysis." in s for s in content["what_happened"])


def test_a_presumptive_test_is_said_to_be_one(write):
    strip = Found("r1", LAB, "metonitazene", "nitazene", "metonitazene", "major", True, "strip", False)
    content = write(Facts(samples=SAMPLES[:1], found=(strip,)), substance=Verification.UNVERIFIED).content
    assert content["found"][0]["presumptive"] is True
    assert "presumptive tests of 1 sample" in content["what_happened"][0] and "indicated" in content["what_happened"][0]


def test_every_figure_names_its_signal_and_records(write):
    content = write(Facts(events=TWELVE, samples=SAMPLES, found=FOUND)).content
    assert [(f["label"], f["value"], f["signal"], f["records"]) for f in content["figures"]] == [
        ("People affected", 12, "sig", ["e1"]),
        ("Samples analysed", 2, "sig", ["r1", "r2"]),
    ]


def test_advice_is_chosen_by_class_and_its_parents_and_bound_by_version(write):
    alert = write(Facts(samples=SAMPLES, found=FOUND))
    assert [a["id"] for a in alert.content["advice"]] == ["not-alone", "opioid-mix", "strips-nitazene"]
    assert alert.content["signs"]["id"] == "overdose-signs" and alert.content["emergency"]["id"] == "naloxone-999"
    assert alert.advice_versions == {
        a: 2 for a in ("overdose-signs", "naloxone-999", "not-alone", "opioid-mix", "strips-nitazene")
    }
    assert "<strong>not waking</strong>" in alert.content["signs"]["html"]
    assert "<script" not in alert.content["advice"][0]["html"]
    assert alert.template_versions == {"formal-text": 3}


def test_an_orphine_case_gets_no_nitazene_advice(write):
    alert = write(Facts(), subject="cychlorphine")
    assert [a["id"] for a in alert.content["advice"]] == ["not-alone", "opioid-mix"]


def test_dates_follow_the_matrix_and_a_request_is_short_lived(write):
    formal = write(Facts(samples=SAMPLES, found=FOUND)).content
    ask = write(Facts(samples=SAMPLES, found=FOUND), product=Product.CORROBORATE).content
    assert (formal["date"], formal["review_on"], formal["expires_on"]) == ("2025-03-03", "2025-03-17", "2025-03-31")
    assert ask["review_on"] == "2025-03-05" and ask["headline"].startswith("Can you help confirm this?")


def test_an_edit_is_a_new_draft_version_without_hash_and_refuses_fixed_parts(write, catalogue, now):
    first = write(Facts(samples=SAMPLES, found=FOUND)).model_copy(update={"hash": "abc", "status": AlertStatus.REVIEW})
    second = draft.edit(first, {"headline": "Other words", "advice": ["not-alone"]}, "bob", now, catalogue)
    assert (second.version, second.status, second.hash, second.author) == (2, AlertStatus.DRAFT, "", "bob")
    assert second.supersedes == 1 and second.content["version"] == 2
    assert "opioid-mix" not in second.advice_versions
    for change in ({"standing": "actual"}, {"watermark": ""}, {"nonsense": 1}):
        with pytest.raises(UsageFault, match="cannot be edited"):
            draft.edit(first, change, "bob", now, catalogue)
    with pytest.raises(UsageFault, match="no advice text 'gone'"):
        draft.edit(first, {"advice": ["gone"]}, "bob", now, catalogue)


@pytest.mark.parametrize("product", [p for p in Product if p is not Product.CONTACT_TEST])
@pytest.mark.parametrize("subject", ["metonitazene", ""])
def test_a_fresh_draft_has_nothing_to_put_right(write, catalogue, product, subject):
    facts = Facts(samples=SAMPLES, found=FOUND, events=TWELVE) if subject else Facts(events=TWELVE)
    assert lint.findings(write(facts, subject, product), catalogue) == []


def changed(alert, **changes):
    return alert.model_copy(update={"content": {**alert.content, **changes}})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("advertising", "It is 40 times stronger than heroin."),
        ("advertising", "It is 40x stronger."),
        ("advertising", "A hundred times as potent."),
        ("advertising", "Stronger than fentanyl."),
        ("advertising", "Sold for £10 a bag."),
        ("advertising", "Sold for 20 quid."),
        ("advertising", "Bought from @goodstuff."),
        ("advertising", "The dealer known as Tiny."),
        ("advertising", "Offered on Telegram."),
        ("personal-data", "He lives at NW1 8QS."),
        ("personal-data", "At nw18qs."),
        ("personal-data", "A 34-year-old man died."),
        ("personal-data", "A woman aged 41 died."),
        ("personal-data", "Mr Smith died."),
        ("personal-data", "A man named John Smith died."),
        ("personal-data", "Born on 3 May 1990."),
        ("personal-data", "Ring 020 7946 0000."),
        ("personal-data", "Ask jo@example.org."),
    ],
)
def test_words_that_must_not_go_out_are_found(write, catalogue, code, words):
    alert = changed(write(Facts(events=TWELVE), ""), what_happened=["All is well.", words])
    found = lint.findings(alert, catalogue)
    assert [f.code for f in found][:1] == [code] and found[0].where == "what_happened 2" and found[0].instead


@pytest.mark.parametrize(
    "words",
    [
        "Twelve adults aged 18 to 30 in NW1 and W1 were treated between 20:00 and 06:00.",
        "Samples held 2-methyl-AP-237, SR-17018 and N,N-dimethyl etonitazene, 5 mg in W18 powder.",
        "More potent opioids are found in heroin; 33 people were ill and 17 in hospital on 3 March 2025.",
        "Blue tablets marked M30, with a photograph and a scale.",
        "Seen in NW1 4th to 6th March, and in E2 3hr later.",
    ],
)
def test_words_that_may_go_out_are_left_alone(write, catalogue, words):
    assert lint.findings(changed(write(Facts(events=TWELVE), ""), what_happened=[words]), catalogue) == []


def test_missing_parts_dates_watermark_and_handling_are_found(write, catalogue):
    alert = write(Facts(events=TWELVE), "", standing="exercise")
    assert alert.standing is Standing.EXERCISE and lint.findings(alert, catalogue) == []
    for changes, code, where in (
        ({"watermark": ""}, "watermark", "watermark"),
        ({"headline": ""}, "missing", "headline"),
        ({"expires_on": ""}, "missing", "expires_on"),
        ({"expires_on": "2025-03-01"}, "dates", "expires_on"),
        ({"marking": "TLP:CLEAR"}, "handling", "marking"),
        ({"marking": "SECRET"}, "handling", "marking"),
        ({"signs": {"id": "", "version": 0, "title": "", "html": "", "text": ""}}, "missing", "signs"),
        (
            {"emergency": {"id": "x", "version": 1, "title": "", "html": "", "text": "Call 999."}},
            "missing",
            "emergency",
        ),
        ({"verification": {}}, "missing", "verification"),
    ):
        assert (code, where) in {(f.code, f.where) for f in lint.findings(changed(alert, **changes), catalogue)}


def test_the_originators_conditions_are_inherited_and_cannot_be_dropped(write, catalogue, now):
    alert = write(Facts(events=TWELVE, conditions=("Not for enforcement",), marking="TLP:AMBER+STRICT"), "")
    assert "Not for enforcement." in alert.content["audience"] and alert.content["marking"] == "TLP:AMBER+STRICT"
    (finding,) = lint.findings(draft.edit(alert, {"audience": "Everyone."}, "bob", now, catalogue), catalogue)
    assert finding.code == "handling" and not finding.overridable and "Not for enforcement" in finding.instead


def test_advice_past_its_review_or_out_of_force_is_found(write, catalogue):
    alert = changed(write(Facts(events=TWELVE), ""), date="2026-02-01", review_on="2026-02-15", expires_on="2026-03-01")
    assert {f.code for f in lint.findings(alert, catalogue)} == {"advice-review"}
    old = alert.model_copy(update={"advice_versions": {"not-alone": 1}})
    assert [f.code for f in lint.findings(old, catalogue)] == ["advice-version"]


def test_personal_data_handling_and_watermark_cannot_be_overridden_and_the_rest_can(write, catalogue):
    alert = changed(write(Facts(events=TWELVE), ""), headline="Mr Smith sells it for £5", marking="TLP:CLEAR")
    stopped = lint.blocking(lint.findings(alert, catalogue), {"advertising", "personal-data", "handling"})
    assert {f.code for f in stopped} == {"personal-data", "handling"}


def test_a_part_that_is_a_list_takes_its_entries_from_words(now):
    from tests.content import messages

    text = messages.alert("alert").model_copy(update={"status": AlertStatus.DRAFT})
    edited = draft.edit(text, {"sold_as": "diazepam | heroin", "headline": "x | y"}, "ann", now, messages.shipped())
    assert (edited.content["sold_as"], edited.content["headline"]) == (["diazepam", "heroin"], "x | y")
    with pytest.raises(UsageFault, match="not a line of text"):
        draft.edit(text, {"verification": "confirmed"}, "ann", now, messages.shipped())
