"""What a catalogue holds, and that adding one thing is adding one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ewarn import catalogue
from ewarn.errors import UsageFault
from ewarn.frames import SHAPES
from ewarn.terms import SubjectKind, Tier

Write = Callable[..., Path]
Edited = Callable[[str, str, str], dict[str, str]]


def test_ids_come_from_file_names(write: Write) -> None:
    known = catalogue.load(write())
    assert set(known.sources) == {"agency", "laboratory"}
    assert known.feeds["agency"].id == "agency"
    assert set(known.classes) == {"nitazene", "opioid"}
    assert set(known.statuses) == {"unable-to-identify"}
    assert (set(known.rules), set(known.channels)) == ({"first"}, {"duty"})


def test_subjects_have_a_class_a_name_and_a_watch_flag(write: Write) -> None:
    known = catalogue.load(write())
    assert known.class_of == {"heroin": "opioid", "metonitazene": "nitazene", "etonitazene": "nitazene"}
    assert known.is_watched("metonitazene") and known.is_watched("nitazene")
    assert not known.is_watched("etonitazene"), "a substance overrides its class"
    assert not known.is_watched("heroin") and not known.is_watched("nothing-known")
    assert known.subject("metonitazene").name == "Metonitazene"
    assert [known.subject(i).kind for i in ("metonitazene", "nitazene", "", None, "blue 10")] == [
        SubjectKind.SUBSTANCE,
        SubjectKind.CLASS,
        SubjectKind.NONE,
        SubjectKind.NONE,
        SubjectKind.KEY,
    ]


def test_areas_have_their_shapes_and_their_ancestors(write: Write) -> None:
    known = catalogue.load(write())
    for name in ("areas", "neighbours", "outcodes"):
        assert getattr(known, name).schema == SHAPES[name]
    assert known.area_ref("E09000007").tier is Tier.BOROUGH
    assert [area.code for area in known.ancestors("E09000007")] == ["E12000007", "K02000001"]
    assert known.ancestors("K02000001") == []
    with pytest.raises(UsageFault, match="E09999999"):
        known.area_ref("E09999999")


def test_advice_is_front_matter_and_text(write: Write) -> None:
    advice = catalogue.load(write()).advice["naloxone"]
    assert (advice.version, advice.text) == (1, "Give naloxone.")


@pytest.mark.parametrize(
    ("like", "added", "kind"),
    [
        ("sources/feeds/agency.toml", "sources/feeds/second.toml", "feeds"),
        ("sources/drops/laboratory.toml", "sources/drops/second.toml", "drops"),
        ("alerts/rules/first.toml", "alerts/rules/second.toml", "rules"),
        ("alerts/channels/duty.toml", "alerts/channels/second.toml", "channels"),
        ("alerts/templates/alert.toml", "alerts/templates/second.toml", "templates"),
        ("alerts/advice/naloxone.md", "alerts/advice/second.md", "advice"),
    ],
)
def test_one_file_adds_one_thing(write: Write, like: str, added: str, kind: str) -> None:
    folder = write()
    before = catalogue.load(folder)
    (folder / added).write_text((folder / like).read_text())
    after = catalogue.load(folder)
    assert set(getattr(after, kind)) == {*getattr(before, kind), "second"}
    assert after.content_hash != before.content_hash


def test_one_entry_adds_a_substance(write: Write) -> None:
    folder = write()
    assert "protonitazene" not in catalogue.load(folder).class_of
    with (folder / "sources/substances/nitazene.toml").open("a") as file:
        file.write('\n[[substances]]\nid = "protonitazene"\nname = "Protonitazene"\n')
    assert catalogue.load(folder).class_of["protonitazene"] == "nitazene"


def test_a_csv_source_with_other_column_names_is_one_file(write: Write, edited: Edited) -> None:
    text = edited("sources/drops/laboratory.toml", '"sampled"', '"Datum"')["sources/drops/laboratory.toml"]
    folder = write({"sources/drops/elsewhere.toml": text.replace('"found"', '"Ergebnis"')})
    assert catalogue.load(folder).drops["elsewhere"].columns["major"].column == "Ergebnis"


def test_overlay_files_win_by_id_and_may_add_synonyms(write: Write, edited: Edited) -> None:
    folder = write()
    changed = edited("sources/substances/nitazene.toml", '"metonitazine"', '"metonitazine", "metonitazin"')
    overlay = write(changed, folder="home", whole=False)
    plain, laid_over = catalogue.load(folder), catalogue.load(folder, overlay)
    assert laid_over.substances["metonitazene"].synonyms == ("metonitazine", "metonitazin")
    assert plain.substances["metonitazene"].synonyms == ("metonitazine",)
    assert plain.content_hash != laid_over.content_hash
    assert b'metonitazin"' in laid_over.files["sources/substances/nitazene.toml"]


def test_an_overlay_may_add_a_file_and_its_faults_name_the_overlay(write: Write) -> None:
    folder = write()
    overlay = write({"sources/feeds/local.toml": 'title = "x"\n'}, folder="home", whole=False)
    faults = catalogue.check(folder, overlay)
    assert faults and all(fault.file == f"{overlay}/sources/feeds/local.toml" for fault in faults)


def test_an_absent_overlay_changes_nothing(write: Write, tmp_path: Path) -> None:
    folder = write()
    assert catalogue.load(folder, tmp_path / "none").content_hash == catalogue.load(folder).content_hash


def test_the_hash_is_over_paths_and_bytes_of_definitions_only(write: Write, edited: Edited) -> None:
    first = catalogue.load(write()).content_hash
    folder = write({"sources/README.md": "words"}, folder="copy")
    assert catalogue.load(folder).content_hash == first
    folder = write(edited("alerts/routes.toml", "[[route]]", "# a remark\n[[route]]"), folder="other")
    assert catalogue.load(folder).content_hash != first
