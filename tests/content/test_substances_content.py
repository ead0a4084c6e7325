"""The substances: every name of the real files and of the watch list resolves, and no name resolves twice."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from pathlib import Path

import pytest

from ewarn.catalogue.crosschecks import claims, of_names, same_name
from ewarn.catalogue.definitions import ClassDefinition, ResultsDefinition, StatusDefinition, SubstanceDefinition

FOLDER = Path(__file__).resolve().parents[2] / "sources" / "substances"
CLASSES = sorted(path for path in FOLDER.glob("*.toml") if not path.stem.startswith("_"))


def read(path: Path) -> ClassDefinition:
    return ClassDefinition.model_validate({"id": path.stem} | tomllib.loads(path.read_text()))


@pytest.fixture(scope="module")
def classes() -> dict[str, ClassDefinition]:
    return {path.stem: read(path) for path in CLASSES}


@pytest.fixture(scope="module")
def statuses() -> dict[str, StatusDefinition]:
    results = ResultsDefinition.model_validate(tomllib.loads((FOLDER / "_results.toml").read_text()))
    return {status.id: status for status in results.statuses}


@pytest.fixture(scope="module")
def named(classes: dict[str, ClassDefinition], statuses: dict[str, StatusDefinition]) -> dict[str, str]:
    """Name without case, spaces and hyphens -> subject id. Exact, not the matcher of the intake."""
    return {same_name(word): subject for word, subject, _ in claims(classes, statuses)}


@pytest.fixture(scope="module")
def substances(classes: dict[str, ClassDefinition]) -> dict[str, SubstanceDefinition]:
    return {substance.id: substance for definition in classes.values() for substance in definition.substances}


@pytest.mark.parametrize("path", CLASSES, ids=lambda path: path.stem)
def test_a_class_file_is_sound(path: Path, substances: dict[str, SubstanceDefinition]) -> None:
    definition = read(path)
    assert definition.substances
    for substance in definition.substances:
        assert substance.metabolite_of == "" or substance.metabolite_of in substances
        assert not substance.cas or _check_digit(substance.cas), substance.id
        assert not (substance.cas or substance.inchikey) or substance.references, "an identifier has a source"
        assert all(control.reference for control in substance.control), substance.id
        assert len({name.casefold() for name in (substance.name, *substance.synonyms)}) == 1 + len(substance.synonyms)


def test_no_name_is_claimed_twice(classes: dict[str, ClassDefinition], statuses: dict[str, StatusDefinition]) -> None:
    assert of_names(classes, statuses, {}) == []


def test_every_name_of_the_real_file_resolves(named: dict[str, str], shared: Path) -> None:
    with (shared / "data/wedinos/wedinos_dev.csv").open(newline="", encoding="utf-8") as file:
        cells = [row[column] for row in csv.DictReader(file) for column in ("major", "minor")]
    names = {part.strip() for cell in cells for part in cell.split("|")} - {""}
    assert len(names) == 194
    assert {name for name in names if same_name(name) not in named} == set()


@pytest.mark.parametrize(
    "name",
    [
        "etonitazene",
        "isotonitazene",
        "metonitazene",
        "protonitazene",
        "butonitazene",
        "flunitazene",
        "clonitazene",
        "etodesnitazene",
        "etazene",
        "metodesnitazene",
        "metazene",
        "protodesnitazene",
        "isotodesnitazene",
        "etonitazepyne",
        "metonitazepyne",
        "protonitazepyne",
        "isotonitazepyne",
        "etonitazepipne",
        "ethyleneoxynitazene",
        "aminoisotonitazene",
    ]
    + [f"N-pyrrolidino {base}onitazene" for base in ("et", "met", "prot", "isot")]
    + [f"N-desethyl {base}onitazene" for base in ("et", "isot", "met", "prot")]
    + [f"N-desethyl{base}onitazene" for base in ("et", "isot", "met", "prot")]
    + ["N-piperidinyl etonitazene", "N,N-dimethyl etonitazene", "N,N-dimethyletonitazene", "metonitazine"],
)
def test_the_nitazenes_of_the_watch_list(name: str, named: dict[str, str], classes: dict[str, ClassDefinition]) -> None:
    assert named[same_name(name)] in {substance.id for substance in classes["nitazene"].substances}


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("orphine", "orphine"),
        ("brorphine", "brorphine"),
        ("chlorphine", "chlorphine"),
        ("fluorphine", "fluorphine"),
        ("iodorphine", "iodorphine"),
        ("cychlorphine", "cychlorphine"),
        ("N-propionitrile chlorphine", "cychlorphine"),
        ("spirochlorphine", "spirochlorphine"),
        ("R-6890", "spirochlorphine"),
        ("spirobrorphine", "spirobrorphine"),
        ("5-chloro desmethylchlorphine", "5-chloro-desmethylchlorphine"),
        ("SR-17018", "sr-17018"),
        ("5,6-dichloro desmethylchlorphine", "sr-17018"),
        ("Metonitazene", "metonitazene"),
        ("n-desethyl isotonitazene", "n-desethyl-isotonitazene"),
        ("Protonitazepyne", "n-pyrrolidino-protonitazene"),
        ("6-MAM", "6-mam"),
        ("Morphine, 6 Monoacetyl", "6-mam"),
        ("diamorphine", "heroin"),
        ("diacetylmorphine", "heroin"),
        ("2-methyl-AP-237", "2-methyl-ap-237"),
        ("carfentanil", "carfentanil"),
        ("medetomidine", "medetomidine"),
        ("ethylbromazolam", "ethylbromazolam"),
        ("Valium", "diazepam"),
        ("Xanax", "alprazolam"),
        ("Rivotril", "clonazepam"),
        ("Speed", "amphetamine"),
        ("Spice", "synthetic-cannabinoid"),
        ("Ecstacy", "mdma"),
        ("No Active Component Identified", "no-active-component"),
        ("Unable to identify", "unable-to-identify"),
        ("Unknown (insufficient sample for further analysis)", "insufficient-sample"),
    ],
)
def test_names_resolve_as_they_must(name: str, subject: str, named: dict[str, str]) -> None:
    assert named[same_name(name)] == subject


def test_orphines_are_listed_and_never_a_word_ending(classes: dict[str, ClassDefinition]) -> None:
    assert classes["orphine"].stem_endings == ()
    assert classes["orphine"].fuzzy_close_to
    endings = classes["nitazene"].stem_endings
    for name in ("morphine", "buprenorphine", "apomorphine", "norbuprenorphine", "carbamazepine", "nitrazepam"):
        assert not name.endswith(endings)


def test_what_is_on_watch(classes: dict[str, ClassDefinition]) -> None:
    watched = {definition.id for definition in classes.values() if definition.watch}
    assert watched == {"nitazene", "orphine", "fentanyls", "other-opioid", "sedative-adulterant"}


def test_uk_control_is_data_with_a_date(
    classes: dict[str, ClassDefinition], substances: dict[str, SubstanceDefinition]
) -> None:
    first = {s.id for s in substances.values() for c in s.control if c.since == date(2024, 3, 20)}
    assert len(first & {s.id for s in classes["nitazene"].substances}) == 14
    assert "brorphine" in first
    assert classes["nitazene"].control[0].since == date(2025, 1, 15)
    assert substances["2-methyl-ap-237"].control[0].since == date(2025, 1, 15)
    assert (substances["xylazine"].control[0].status, substances["xylazine"].control[0].since) == (
        "Class C",
        date(2025, 1, 15),
    )
    assert substances["sr-17018"].sold_knowingly and not substances["sr-17018"].control


def _check_digit(cas: str) -> bool:
    *digits, check = [int(sign) for sign in cas if sign.isdigit()]
    return sum(place * digit for place, digit in enumerate(reversed(digits), start=1)) % 10 == check
