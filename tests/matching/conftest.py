"""A small catalogue of names and places, enough to show every trap."""

from __future__ import annotations

import polars as pl
import pytest

from ewarn.catalogue.definitions import ClassDefinition, StatusDefinition, SubstanceDefinition
from ewarn.frames import shaped
from ewarn.matching import Gazetteer, Matcher


def group(id: str, *substances: SubstanceDefinition, watch: bool = False, **more: object) -> ClassDefinition:
    return ClassDefinition(id=id, name=id, plural=f"{id}s", watch=watch, substances=substances, **more)


def named(id: str, *names: str, brands: tuple[str, ...] = ()) -> SubstanceDefinition:
    return SubstanceDefinition(id=id, name=names[0], synonyms=names[1:], brands=brands)


CLASSES = (
    group(
        "nitazene", named("etonitazene", "Etonitazene"), named("metonitazene", "Metonitazene"),
        named("isotonitazene", "Isotonitazene"), named("n-desethyl-isotonitazene", "N-Desethyl isotonitazene"),
        named("n-n-dimethyl-etonitazene", "N,N-dimethyletonitazene"),
        named("n-pyrrolidino-etonitazene", "N-Pyrrolidino etonitazene", "Etonitazepyne"),
        watch=True, stem_endings=("nitazene", "zepyne", "zepipne"), fuzzy_close_to=True,
    ),
    group(
        "orphine", named("brorphine", "Brorphine"), named("chlorphine", "Chlorphine"),
        named("sr-17018", "SR-17018", "5,6-dichloro desmethylchlorphine"), watch=True, fuzzy_close_to=True,
    ),
    group(
        "opioid", named("morphine", "Morphine"), named("6-mam", "6-MAM", "Morphine, 6 Monoacetyl"),
        named("heroin", "Heroin", "Diamorphine"), named("fentanyl", "Fentanyl"), named("mda", "MDA"),
    ),
    group(
        "benzodiazepine", named("diazepam", "Diazepam", brands=("Valium",)),
        named("alprazolam", "Alprazolam", brands=("Xanax",)),
    ),
)  # fmt: skip
STATUSES = (
    StatusDefinition(id="no-active-component", name="No active component", phrases=("No active component identified",)),
    StatusDefinition(id="unable-to-identify", name="Unable to identify", phrases=("Unable to identify",)),
    StatusDefinition(
        id="insufficient-sample", name="Insufficient sample",
        phrases=("Unknown (insufficient sample for further analysis)", "insufficient sample"),
    ),
)  # fmt: skip


@pytest.fixture(scope="session")
def matcher() -> Matcher:
    return Matcher(CLASSES, STATUSES)


@pytest.fixture(scope="session")
def gazetteer() -> Gazetteer:
    areas = [
        ("K02000001", "United Kingdom", "uk", None, "UK|Britain"),
        ("E12000007", "London", "region", "K02000001", "Greater London"),
        ("E12000008", "South East", "region", "K02000001", ""),
        ("E09000001", "City of London", "borough", "E12000007", "City|the square mile"),
        ("E09000007", "Camden", "borough", "E12000007", "London Borough of Camden"),
        ("E09000019", "Islington", "borough", "E12000007", ""),
        ("E09000020", "Kensington and Chelsea", "borough", "E12000007", "RBKC"),
        ("E09000027", "Richmond upon Thames", "borough", "E12000007", "Richmond"),
        ("E09000028", "Southwark", "borough", "E12000007", ""),
        ("E09000033", "Westminster", "borough", "E12000007", "City of Westminster"),
        ("E06000047", "County Durham", "borough", "K02000001", "Durham"),
        ("E06000038", "Reading", "borough", "E12000008", ""),
        ("E06000022", "Bath and North East Somerset", "borough", "K02000001", "Bath"),
    ]
    outcodes = [
        ("NW1", "E09000007", 0.9), ("NW1", "E09000033", 0.1), ("W11", "E09000020", 0.9), ("W11", "E09000033", 0.1),
        ("W1G", "E09000033", 1.0), ("W1T", "E09000007", 1.0), ("W4", "E09000020", 1.0), ("SE1", "E09000028", 1.0),
        ("DH1", "E06000047", 1.0), ("N1", "E09000019", 1.0), ("N11", "E09000019", 1.0),
    ]  # fmt: skip
    frame = pl.DataFrame(areas, schema=["code", "name", "tier", "parent", "other_names"], orient="row")
    shares = pl.DataFrame(outcodes, schema=["outcode", "area", "share"], orient="row")
    return Gazetteer(shaped("areas", frame), shaped("outcodes", shares))
