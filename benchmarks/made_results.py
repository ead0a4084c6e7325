"""Generated drug-checking results in the shape of the wedinos drop, with faults of every kind.

In: how many rows, a seed, the share of faulty rows. Out: a CSV file, written in pieces; the same arguments give the
same bytes. Every value is made up: names of substances come from the project's own content, places are outward codes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
HEADER = (
    "sample_ref,date_received_raw,date_received,postcode,purchase_intent,package_label,colour,form,"
    "consumption_method,effects,major,minor,analysed,source_file\n"
)
PIECE = 250_000
BOUGHT = ("Cocaine", "MDMA", "Ketamine", "Heroin", "Diazepam", "Valium", "Xanax", "Not Stated", "Oxycodone", "Cannabis")
_LABELS = (
    "Not Stated",
    "Not Stated",
    "Not Stated",
    "TEVA 5mg",
    "Bensedin",
    "LSD express",
    "Rolex",
    "no label, foil wrap",
)
# As in the real lists, one label in five is like no other.
LABELS = _LABELS * 250 + tuple(f"press {number}" for number in range(500))
COLOURS = ("White", "Blue", '"White, Blue"', "Not Stated", "Brown", "Glas", "Pink", '""', "Yellow")
FORMS = ("Tablet", "Powder", "Capsule", "Liquid", "Tabled", "Crystal", "Plant matter", "Powdwr", "Not Stated")
ROUTES = ("Oral", "Smoked", "Snorted", "Injected", "Not Stated")
EFFECTS = ("Not Stated", '"Energy, Euphoria"', "Relaxed", '"Sleepy, Confused, ""out of it"""', "Anxiety")
NOWHERE = ("", "Array", "Not Stated", "England", "UNKNOWN - PUBLISHED DUE TO PROFILE")


def write(
    path: Path, rows: int, seed: int = 7, faults: float = 0.01, first: date = date(2023, 1, 1), start: int = 0
) -> None:
    """Write the file: results of a thousand days from `first` on, numbered from `start`."""
    with path.open("wb") as out:
        out.write(HEADER.encode())
        for piece in pieces(rows, seed, faults, first=first, begin=start):
            out.write(piece)


def write_shuffled(path: Path, rows: int, seed: int = 7, faults: float = 0.01) -> None:
    """The same records in another order, and one row more."""
    with path.open("wb") as out:
        out.write(HEADER.encode())
        for side in (1, 0):
            for number, piece in enumerate(pieces(rows, seed, faults, shuffled=True)):
                if number % 2 == side:
                    out.write(piece)
        out.write(b"ONE MORE,01 Jan 2024,2024-01-01,NW1,Heroin,,Brown,Powder,,,Metonitazene,,true,made\n")


def pieces(
    rows: int, seed: int, faults: float, *, shuffled: bool = False, first: date = date(2023, 1, 1), begin: int = 0
) -> Iterator[bytes]:
    """The file's rows, some hundred thousand at a time."""
    draw = np.random.default_rng(seed)
    names, outcodes = _names(), _outcodes()
    combinations = _combinations(draw, names)
    weights = 1 / np.arange(1, len(combinations) + 1) ** 0.9
    weights /= weights.sum()
    for start in range(0, rows, PIECE):
        number = min(PIECE, rows - start)
        lines = _lines(draw, begin + start, number, combinations, weights, outcodes, first)
        spoilt = _spoilt(draw, lines, faults)
        yield (spoilt.shuffle(seed=start) if shuffled else spoilt).str.join("").item().encode()


def _lines(
    draw: np.random.Generator,
    start: int,
    number: int,
    combinations: pl.DataFrame,
    weights: np.ndarray,
    outcodes: list[str],
    first: date,
) -> pl.DataFrame:
    """One row per line, its cells apart."""
    days = [first + timedelta(days=n) for n in range(1000)]
    day = draw.integers(0, len(days), number)
    drawn = combinations[draw.choice(len(combinations), number, p=weights)]
    inward = pl.Series(draw.integers(100, 999, number)).cast(pl.String)
    where = _of(outcodes, draw, number)
    kind = draw.integers(0, 100, number)
    frame = pl.DataFrame({"where": where, "inward": inward, "kind": kind, "nowhere": _of(NOWHERE, draw, number)})
    place = frame.select(
        pl.when(pl.col("kind") < 12).then("nowhere")
        .when(pl.col("kind") < 16).then(pl.concat_str("where", pl.lit(" "), pl.col("inward").str.head(1), pl.lit("AB")))
        .when(pl.col("kind") < 19).then(pl.concat_str("where", pl.col("inward").str.head(1)))
        .when(pl.col("kind") < 21).then(pl.col("where").str.replace(r"^([A-Z]+)(\d)$", "${1}0$2"))
        .otherwise("where")
    ).to_series()  # fmt: skip
    return pl.DataFrame({
        "sample_ref": pl.Series(np.arange(start, start + number)).cast(pl.String).str.zfill(9),
        "raw": pl.Series([d.strftime("%d %b %Y") for d in days])[day],
        "date": pl.Series([d.isoformat() for d in days])[day],
        "place": place,
        "bought": _of(BOUGHT, draw, number), "label": _of(LABELS, draw, number).str.replace("^(.*,.*)$", '"$1"'),
        "colour": _of(COLOURS, draw, number), "form": _of(FORMS, draw, number), "route": _of(ROUTES, draw, number),
        "effects": _of(EFFECTS, draw, number), "major": drawn["major"], "minor": drawn["minor"],
        "analysed": pl.repeat("true", number, eager=True),
        "file": pl.repeat("BRP/wedinos_alerts_2024.json", number, eager=True),
    })  # fmt: skip


def _spoilt(draw: np.random.Generator, cells: pl.DataFrame, faults: float) -> pl.Series:
    """The lines as text, a share of them faulty, every kind of fault alike."""
    kind = pl.Series("kind", np.where(draw.random(cells.height) < faults, draw.integers(1, 11, cells.height), 0))
    cells = cells.with_columns(kind)
    bad_date, blank_key, misspelt, other_date = (pl.col("kind") == n for n in (1, 2, 3, 10))
    cells = cells.with_columns(
        date=pl.when(bad_date).then(pl.lit("31/02/2024")).when(other_date).then(pl.col("raw")).otherwise("date"),
        sample_ref=pl.when(blank_key).then(pl.lit("")).when(pl.col("kind") == 9).then(pl.col("sample_ref").shift(1))
        .otherwise("sample_ref"),
        major=pl.when(misspelt).then(pl.col("major").str.replace("a", "aa")).otherwise("major"),
        label=pl.when(pl.col("kind") == 4).then(pl.lit('5" wrap'))
        .when(pl.col("kind") == 5).then(pl.lit('"two\nlines"'))
        .when(pl.col("kind") == 6).then(pl.lit('"never closed')).otherwise("label"),
    )  # fmt: skip
    line = pl.concat_str(pl.exclude("kind"), separator=",")
    short = line.str.replace(",true,", ",")
    return cells.select(
        pl.when(pl.col("kind") == 7).then(short)
        .when(pl.col("kind") == 8).then(pl.concat_str(line, pl.lit("\n"), line))
        .otherwise(line) + "\n"
    ).to_series()  # fmt: skip


def _of(words: tuple[str, ...] | list[str], draw: np.random.Generator, number: int) -> pl.Series:
    return pl.Series(list(words))[draw.integers(0, len(words), number)]


def _names() -> list[str]:
    """The names of every substance in the project's content."""
    found = []
    for path in sorted((ROOT / "sources" / "substances").glob("[a-z]*.toml")):
        content = tomllib.loads(path.read_text())
        found += [one["name"] for one in content.get("substances", content.get("substance", []))]
    return [name for name in found if not set(name) & set('",|\n')]


def _outcodes() -> list[str]:
    return (
        pl.read_csv(ROOT / "sources" / "areas" / "outcodes.csv", comment_prefix="#")["outcode"]
        .unique(maintain_order=True)
        .to_list()
    )


def _combinations(draw: np.random.Generator, names: list[str], number: int = 30_000) -> pl.DataFrame:
    """What is found together: mostly one substance, at times several, now and then nothing."""
    common = 1 / np.arange(1, len(names) + 1)
    common /= common.sum()
    shuffled = draw.permutation(names)
    found = []
    for many, few in zip(draw.geometric(0.8, number), draw.geometric(0.85, number) - 1, strict=True):
        drawn = list(dict.fromkeys(draw.choice(shuffled, int(many + few), p=common)))
        found.append(("|".join(drawn[:many]), "|".join(drawn[many:])))
    found[::50] = [("No active component identified", "")] * len(found[::50])
    return pl.DataFrame(found, schema=["major", "minor"], orient="row")
