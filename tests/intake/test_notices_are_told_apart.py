"""What a notice is, on notices written for this test after the manner of councils, UKHSA, the MHRA, the CDC and WHO.

None is a real one. `test_notices_labelled.py` measures the same on real ones.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from ewarn import catalogue
from ewarn.intake import notice_facts, vocabulary
from ewarn.intake.notice_facts import Facts
from ewarn.intake.notice_words import NEVER, WORDS
from ewarn.intake.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[2]

# kind, title, text
WRITTEN = (
    ("alert", "Drug alert: nitazenes in heroin in Bristol", ""),
    ("alert", "Warning over blue tablets sold as diazepam in Hackney", "Three people were taken to hospital."),
    ("alert", "LDIS alert 2025-014", "High-strength MDMA pills are in circulation. Take care."),
    ("alert", "National Patient Safety Alert: potent synthetic opioids implicated in overdoses and deaths", ""),
    ("alert", "Fake oxycodone tablets found to contain N-pyrrolidino protonitazene", "Tested by a checking service."),
    ("alert", "Twelve overdoses in Camden hostels in one day", "The substance is not known. Carry naloxone."),
    ("alert", "Police issue warning after man dies from suspected overdose in Leeds", ""),
    ("alert", "Cychlorphine identified in powder bought as heroin", ""),
    ("alert", "Public health warning: contaminated vapes", "They held synthetic cannabinoids; two pupils collapsed."),
    ("alert", "Be aware: unusually strong ketamine in Brighton", ""),
    ("alert", "URGENT - MEDETOMIDINE DETECTED IN LOCAL HEROIN SUPPLY", ""),
    ("alert", "Health Advisory: Carfentanil detected in counterfeit pills", ""),
    ("alert", "Notes from the Field: Nitazene-Involved Deaths - Tennessee, 2019-2021", ""),
    ("alert", "Bromazolam-associated overdose cluster - Ohio, June 2023", ""),
    ("alert", "Deaths Involving Para-fluorofentanyl - 10 States, July-December 2022", ""),
    ("alert", "Emergence of Medetomidine in the Illicit Opioid Supply - Philadelphia, Pennsylvania, 2024", ""),
    (
        "alert",
        "Severe Bleeding After Use of Synthetic Cannabinoids - Illinois, 2018",
        "Linked to a contaminated supply.",
    ),
    ("update", "Update: drug alert on blue diazepam tablets in Camden", "Laboratory tests confirm bromazolam."),
    ("update", "Metonitazene in Camden", "Further to our alert of 3 March, tests have now confirmed metonitazene."),
    ("update", "Updated alert: heroin containing nitazenes", ""),
    (
        "update",
        "Metonitazene in Camden",
        "This replaces our alert of 2 March, which has been withdrawn. New tests found more.",
    ),
    ("withdrawal", "Stand down: metonitazene in Camden", "The tablets were tested and held diazepam alone."),
    ("withdrawal", "Drug alert 2025-014 withdrawn", ""),
    ("withdrawal", "Fake Xanax in Camden", "This alert has been cancelled."),
    ("withdrawal", "LDIS: our warning about pink pills no longer applies", ""),
    ("withdrawal", "Nitazene warning rescinded", ""),
    (
        "alert",
        "Severe medetomidine withdrawal in patients in Manchester",
        "Several needed intensive care; it is a warning.",
    ),
    ("background", "Official statistics: deaths related to drug poisoning in England and Wales, 2023", ""),
    ("background", "Evaluation of a take-home naloxone programme in Scotland", "Overdose deaths fell."),
    ("background", "Guidance: naloxone and opioid overdose", ""),
    ("background", "Prescribing of opioids: statistics for England", ""),
    ("background", "Minutes of the drug harms board", "It spoke of heroin."),
    ("background", "Outbreak of measles in Birmingham", "Cases are rising."),
    ("background", "Warning over measles as cases rise in London", ""),
    ("background", "Amber heat-health alert issued for London", ""),
    ("background", "Class 2 Medicines Recall: Diazepam 5 mg tablets, labelling error", ""),
    ("background", "Company-led recall: codeine linctus", ""),
    ("background", "HIV cluster among people who inject drugs - Glasgow, 2019", ""),
    ("background", "Hepatitis C infections in people who inject drugs continue to fall", ""),
    ("background", "Drug Overdose Deaths Involving Cocaine and Psychostimulants - United States, 2016-2020", ""),
    ("background", "Trends in emergency department visits for opioid overdose - 21 States, 2018-2022", ""),
    ("background", "QuickStats: Drug Overdose Death Rates Involving Fentanyl, by State, 2021", ""),
    ("background", "Vital Signs: Overdose Deaths Involving Synthetic Opioids", ""),
    ("background", "Man jailed for supplying heroin in Leeds", ""),
    ("background", "New offences for fentanyl: legislation laid before Parliament", ""),
    ("background", "Vaccination of people who use drugs against hepatitis B", ""),
    ("background", "Acute withdrawal from alcohol: treatment in hospital", ""),
    ("background", "Prevention of future deaths report", "died after taking heroin and metonitazene"),
    ("background", "International Overdose Awareness Day", ""),
    ("background", "Salmonella outbreak linked to kratom - 38 States, 2018", ""),
    ("background", "Carbon monoxide poisonings after storms - Texas, 2021", ""),
    ("background", "Overdose prevention centre opens in Glasgow", ""),
    ("background", "Typhoid fever outbreak - Karachi, Pakistan", ""),
    ("background", "New report: drug deaths in England and Wales", "195 of the deaths registered involved nitazenes."),
    (
        "alert",
        "Residents fall ill",
        "Four people in Lewisham lost consciousness after vaping what was thought to be THC.",
    ),
    ("alert", "Young people in hospital", "In Sutton three were given naloxone and two stopped breathing."),
    ("background", "Botulism in people who inject drugs: advice for clinicians", ""),
)


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary.of(catalogue.load(ROOT))


def read(words: Vocabulary, title: str, text: str = "", **more: bool) -> Facts:
    return notice_facts.read(title, text, words, **more)


def says(facts: Facts, what: str) -> list[tuple[str, str]]:
    return [(one.says, one.words) for one in facts.evidence if one.what == what]


@pytest.mark.parametrize(("kind", "title", "text"), WRITTEN)
def test_its_kind(words: Vocabulary, kind: str, title: str, text: str) -> None:
    found = read(words, title, text)
    assert found.kind == kind, found.evidence
    if kind != "background":
        ((said, by),) = says(found, "kind")
        assert said == kind and by
        assert all(word.casefold() in f"{title}. {text}".casefold() for word in by.split(" | "))


@pytest.mark.parametrize("name", ["metonitazene", "cychlorphine", "medetomidine", "carfentanil", "MDMA"])
def test_another_drug_is_as_good(words: Vocabulary, name: str) -> None:
    for title in ("Overdose deaths linked to {} - Denver, Colorado, 2024", "Warning: {} in Camden", "Fake pills: {}"):
        assert read(words, title.format(name)).kind == "alert"
        assert read(words, title.format("norovirus")).kind != "alert" or "Fake pills" in title


def test_most_of_what_is_found_stands_on_more_than_one_group_of_words(words: Vocabulary) -> None:
    alerts = [(title, text) for kind, title, text in WRITTEN if kind == "alert"]
    for group in fields(WORDS):
        without = replace(WORDS, **{group.name: NEVER})
        left = sum(notice_facts.read(*one, words, words=without).kind == "alert" for one in alerts)
        assert left >= 0.65 * len(alerts), group.name


# ---------------------------------------------------------------- names denied, and sold as


@pytest.mark.parametrize(
    "text",
    [
        "No nitazenes were found.",
        "Nitazenes were not detected.",
        "The sample tested negative for nitazenes.",
        "It did not contain nitazenes.",
        "There was no evidence of fentanyl, xylazine or nitazenes.",
        "Without any trace of nitazenes.",
        "Nitazenes have been ruled out.",
        "Nitazenes had not been identified in it.",
    ],
)
def test_a_denied_name_is_no_mention_and_is_written_down(words: Vocabulary, text: str) -> None:
    found = read(words, "Blue tablets in Camden contained diazepam", text)
    assert [m.subject for m in found.named] == ["diazepam"]
    assert "nitazene" in dict(says(found, "negated"))


@pytest.mark.parametrize(
    "text",
    [
        "Nitazenes are not confirmed yet.",
        "Not only heroin but nitazenes were found.",
        "Non-fatal nitazene overdoses have been reported.",
        "No naloxone was carried; nitazenes were found.",
        "There is no nitazene test strip that finds it.",
        "We cannot say whether or not it was a nitazene.",
        "There are no deaths so far. Nitazenes were found.",
    ],
)
def test_what_is_only_unconfirmed_is_still_named(words: Vocabulary, text: str) -> None:
    assert "nitazene" in {m.subject for m in read(words, "Tablets in Camden", text).named}


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("sold as diazepam", {"diazepam"}),
        ("Powder purported to be heroin", {"heroin"}),
        ("marketed as oxycodone or diazepam", {"oxycodone", "diazepam"}),
        ("They took what was believed to be cocaine.", {"cocaine"}),
        ("Metonitazene was used in place of oxycodone.", {"oxycodone"}),
        ("Protonitazene instead of heroin", {"heroin"}),
        ("passed off as MDMA", {"mdma"}),
        ("counterfeit Xanax", {"alprazolam"}),
        ("fake diazepam", {"diazepam"}),
        ("fake blue Valium", {"diazepam"}),
        ("counterfeit pills containing fentanyl", set()),
        ("sold as Xanax but found to contain bromazolam", {"alprazolam"}),
        ("The tablets are believed to be metonitazene.", set()),
        ("The price was fixed as heroin rose.", set()),
    ],
)
def test_what_was_sold_as_what(words: Vocabulary, text: str, subjects: set[str]) -> None:
    found = read(words, "Tablets", text)
    assert {said for said, _ in says(found, "sold as")} == subjects
    assert subjects <= {m.subject for m in found.named}


def test_words_of_a_name_nobody_lists_are_kept_in_quotes_alone(words: Vocabulary) -> None:
    assert read(words, "Pills", "sold as 'blue dolphins' in town").sold_as == ("blue dolphins",)
    assert read(words, "Pills", "sold as 'blue dolphins' in town", nameless=True).sold_as == ()


# ---------------------------------------------------------------- places

OURS = {"E09000007": "Camden", "E08000025": "Birmingham", "E12000007": "London"}


@pytest.mark.parametrize(
    "text",
    [
        "Overdoses in Birmingham, Alabama",
        "Overdoses in London, Ontario",
        "Fentanyl in Camden, New Jersey",
        "Fentanyl deaths in Camden County",
        "Overdoses in Cambridge, Massachusetts. Cambridge officials warn.",
        "Xylazine in Richmond, VA",
        "Overdoses in Manchester (New Hampshire)",
        "Nitazenes in Boston, Mass. The Boston supply is contaminated.",
        "Overdoses in Newcastle, New South Wales",
        "Overdose deaths - Lancaster County, Pennsylvania, 2024",
        "Fentanyl in Durham, North Carolina",
        "Nitazenes in South-East Asia",
        "Carfentanil in New England",
    ],
)
def test_a_namesake_abroad_is_none_of_ours(words: Vocabulary, text: str) -> None:
    for found in (read(words, text), read(words, "Nitazenes", text)):
        (place,) = found.places
        assert (place.area, place.tier) == ("K02000001", "uk"), place
    if "County" not in text or "," in text:
        assert says(read(words, text), "abroad") and read(words, text).places[0].precision == "outside the UK"


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("Overdoses in Camden", {"E09000007"}),
        ("Nitazenes, first seen in the United States, are now in Camden", {"E09000007"}),
        ("Tablets from China found in Birmingham", {"E08000025"}),
        ("As in Ohio and Texas before, medetomidine is in Camden, the NHS warns", {"E09000007"}),
        ("Overdoses across London", {"E12000007"}),
        ("Deaths in Camden and in Birmingham", {"E09000007", "E08000025"}),
    ],
)
def test_a_word_about_abroad_does_not_move_what_happened_here(words: Vocabulary, text: str, areas: set[str]) -> None:
    assert {place.area for place in read(words, "Drug alert", text).places} == areas


def test_the_publisher_abroad_needs_a_word_that_says_the_uk(words: Vocabulary) -> None:
    assert read(words, "Fentanyl in Camden", abroad=True).places[0].precision == "outside the UK"
    assert read(words, "Fentanyl in Camden, United Kingdom", abroad=True).places[0].area == "E09000007"


def test_a_surname_is_no_place(words: Vocabulary) -> None:
    for text in ("Mr London took heroin.", "Inspector Camden said heroin was found."):
        assert read(words, "Heroin", text).places[0].precision == "unplaced", text
    named = read(words, "Report", "Sarah Camden, of Hackney, took heroin. Kent Brown died.", nameless=True)
    assert [p.as_written for p in named.places] == ["Hackney"]
