"""How well real notices are told apart: 1,221 items of five publishers, labelled by hand; 11 are alerts, 6 borderline.

An alert counts as found where the notice's kind is `alert` (ewarn.intake.notice_facts says what that takes). Run with
`-s` to see the table. The words were not taken from these items: see the last tests.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import polars as pl
import pytest

from ewarn import catalogue
from ewarn.catalogue.definitions import FeedDefinition
from ewarn.intake import notice_facts, read, vocabulary
from ewarn.intake.notice_facts import Facts
from ewarn.intake.notice_words import NEVER, WORDS
from ewarn.intake.vocabulary import Vocabulary

ROOT = Path(__file__).resolve().parents[2]
NAMED_ALSO = {
    "opioids": "opioid",
    "illicit benzodiazepines": "benzodiazepine",
    "synthetic cannabinoids": "synthetic-cannabinoid",
}
Items = list[tuple[dict[str, Any], Facts]]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary.of(catalogue.load(ROOT))


@pytest.fixture(scope="module")
def items(shared: Path, words: Vocabulary) -> Items:
    lines = (shared / "data" / "feeds" / "labelled_items.jsonl").read_text().splitlines()
    return [(item, notice_facts.read(item["title"], item["text"], words)) for item in map(json.loads, lines)]


def test_every_alert_is_found_and_no_borderline_item(items: Items) -> None:
    table = Counter((item["label"], facts.kind) for item, facts in items)
    kinds = ("alert", "update", "withdrawal", "background")
    print("\nlabelled \\ read as " + "".join(f"{kind:>12}" for kind in kinds))
    for label in ("alert", "borderline", "not_alert"):
        print(f"{label:<20}" + "".join(f"{table[label, kind]:>12}" for kind in kinds))
    read_as_alert = sum(count for (_, kind), count in table.items() if kind == "alert")
    print(f"found {table['alert', 'alert']} of 11, precision {table['alert', 'alert'] / read_as_alert:.2f}")
    assert table["alert", "alert"] == sum(item["label"] == "alert" for item, _ in items) == 11
    assert table["borderline", "background"] == 6
    assert table["alert", "alert"] / read_as_alert >= 0.5
    false = sum(table["not_alert", kind] for kind in kinds[:3])
    assert false <= 11, "updates and withdrawals of what is no drug alert count too"


def test_every_substance_an_alert_names_is_found(items: Items) -> None:
    for item, facts in items:
        if item["label"] == "alert":
            found = {m.subject for m in facts.named}
            wanted = {NAMED_ALSO.get(name, name.split(" (")[0]) for name in item["substances"]}
            assert wanted <= found, item["title"]


def test_nothing_abroad_is_placed_in_an_area_of_ours(items: Items) -> None:
    for item, facts in items:
        if item["source"] in ("us_cdc_mmwr", "us_travel_health_notices"):
            assert {p.tier for p in facts.places} == {"uk"}, item["title"]
        if item["label"] == "alert" and item["areas"] != ["Four States"]:
            assert facts.places[0].precision == "outside the UK", item["title"]


def test_the_same_comes_out_of_a_whole_feed(items: Items) -> None:
    body = "".join(
        f"<item><title>{escape(item['title'])}</title><description>{escape(item['text'])}</description>"
        f"<guid>{escape(item['url'])}</guid><pubDate>{item['published']}T00:00:00Z</pubDate></item>"
        for item, _ in items
    )
    feed = FeedDefinition(
        id="f", title="t", publisher="p", licence="l", cadence="c", personal_data="none", url="https://example.org/f"
    )
    whole = f'<rss version="2.0"><channel><title>t</title>{body}</channel></rss>'.encode()
    now = datetime(2026, 11, 22, tzinfo=UTC)
    staged = read(feed, whole, catalogue.load(ROOT), received_at=now, backfill=True)
    assert staged.rejects.is_empty()
    kinds = dict(staged.records.select("entry_id", "notice_kind").iter_rows())
    labels = {item["url"]: item["label"] for item, _ in items}
    assert {url for url, kind in kinds.items() if kind == "alert" and labels[url] == "alert"} == {
        url for url, label in labels.items() if label == "alert"
    }
    found = staged.records.filter(pl.col("notice_kind") == "alert")
    assert found["evidence"].str.contains('"what": "kind"').all()


# ---------------------------------------------------------------- the words came from elsewhere


def test_leaving_any_group_of_words_out_loses_little(items: Items, words: Vocabulary) -> None:
    """No group is there for one item's sake: without harm or deception, the widest two, most are still found."""
    alerts = [item for item, _ in items if item["label"] == "alert"]
    lost = {}
    for group in fields(WORDS):
        without = replace(WORDS, **{group.name: NEVER})
        kinds = [notice_facts.read(a["title"], a["text"], words, words=without).kind for a in alerts]
        lost[group.name] = sum(kind != "alert" for kind in kinds)
    print("\nalerts lost without: " + ", ".join(f"{name} {count}" for name, count in lost.items()))
    assert max(lost.values()) <= 5


@pytest.mark.parametrize(("new", "wanted"), [("metonitazene", "alert"), ("norovirus", "background")])
def test_an_alert_is_found_for_what_it_says_and_not_for_its_names(
    items: Items, words: Vocabulary, new: str, wanted: str
) -> None:
    """With every drug in it changed for another it is found still; with the drugs changed for a disease it is not."""
    for item, facts in items:
        if item["label"] == "alert":
            names = sorted({re.escape(m.as_written.rstrip("s")) + "s?" for m in facts.named}, key=len, reverse=True)
            title, _, text = re.sub("|".join(names), new, f"{item['title']}\n{item['text']}", flags=re.I).partition(
                "\n"
            )
            assert notice_facts.read(title, text, words).kind == wanted, title


def test_a_place_or_a_year_decides_nothing(items: Items, words: Vocabulary) -> None:
    for item, _ in items:
        if item["label"] == "alert":
            head = item["title"].rsplit(" - ", 1)[0].rsplit(" --- ", 1)[0]
            assert notice_facts.read(head, item["text"], words).kind == "alert", head
