"""What a file of sources/substances may say: classes, substances and results. The field descriptions are the
documentation. Nothing here reads a file.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ewarn.catalogue.basics import Reference, Slug
from ewarn.terms import Frozen


class Control(Frozen):
    """Legal control as data with a date, never code."""

    law: str = "Misuse of Drugs Act 1971"
    status: str = Field(description="Class A, Class C, ...")
    since: date
    reference: str = ""


class SubstanceDefinition(Frozen):
    id: Slug
    name: str
    synonyms: tuple[str, ...] = ()
    brands: tuple[str, ...] = Field(
        (), description="brand and street words: internal matching of sold-as only, never printed"
    )
    cell_only: tuple[str, ...] = Field(
        (),
        description="spellings that are also other words or abbreviations (DOB, DOI): matched only where they are the "
        "whole cell, or the whole part of a list",
    )
    cas: str = ""
    inchikey: str = Field("", pattern=r"^$|^[A-Z]{14}-[A-Z]{10}-[A-Z]$")
    metabolite_of: str = Field(
        "",
        description="id of the substance whose breakdown product this is: finding it implies that the parent was used. "
        "A record keeps the metabolite under its own name and never gains the parent",
    )
    sold_knowingly: bool = Field(False, description="bought as itself: a different risk from a mis-sold opioid")
    watch: bool | None = Field(None, description="overrides the class's watch flag")
    control: tuple[Control, ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""


class ClassDefinition(Frozen):
    """sources/substances/<class>.toml: a class and the substances in it, matched by whole name."""

    id: Slug
    name: str
    plural: str
    watch: bool = Field(description="first-detection, mis-sold and notice rules look for its substances")
    parent: str = Field("", description="id of a wider class, such as opioid")
    class_names: tuple[str, ...] = Field((), description="words that name the class itself, such as 'nitazenes'")
    brands: tuple[str, ...] = Field(
        (), description="street words for the class: internal matching of sold-as only, never printed"
    )
    control: tuple[Control, ...] = Field((), description="control of the whole class, where a substance states none")
    stem_endings: tuple[str, ...] = Field(
        (),
        description="a single word ending in one of these, and unknown, is taken for the class and queued for naming",
    )
    fuzzy_close_to: bool = Field(
        False, description="a misspelling near one of its names goes to the top of the naming queue"
    )
    expected_sold_as: tuple[str, ...] = Field((), description="classes or substances it is no surprise to find sold as")
    references: tuple[Reference, ...] = ()
    substances: tuple[SubstanceDefinition, ...] = ()


class StatusDefinition(Frozen):
    """sources/substances/_results.toml: results that are neither substances nor negatives."""

    id: Slug
    name: str
    phrases: tuple[str, ...] = Field(min_length=1)
    stands_for: Literal["a result", "nothing named", "ruled out"] = Field(
        "a result",
        description="'nothing named': what a text gets that names no substance, and where dismissed names are kept; "
        "'ruled out': what a text gets whose only names are said to be absent",
    )
    prose_words: tuple[str, ...] = Field(
        (), description="single words of prose that name nothing and never wait in the naming queue"
    )


class ResultsDefinition(Frozen):
    """The whole of sources/substances/_results.toml."""

    statuses: tuple[StatusDefinition, ...] = Field(min_length=1, alias="status")
