"""Spells become episodes: the identity of a signal over time.

In: spells. Out: the same spells with the episode they belong to. Spells of one rule, subject, area and tier with at
most 28 days without firing between them are one episode; strands are kept apart, save those that begin on one day, by
which an episode is known. Later spells never change an earlier episode.
"""

from __future__ import annotations

import polars as pl

from ewarn.rules.prepare import STRATUM

EPISODE_GAP_DAYS = 28
IDENTITY = ["rule", *STRATUM]


def of(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells with `began` (first instant of their episode) and `episode`, a number over all episodes.

    Out: sorted by identity and time; empty spells are left out.
    """
    apart = [*IDENTITY, "strand"]
    rows = (
        spells.filter(pl.col("fires_to") > pl.col("fires_from"))
        .with_columns(pl.col("strand").fill_null(""))
        .sort(*apart, "fires_from", pl.col("records").list.join(" "), "fires_to")
    )
    ended = pl.col("fires_to").cum_max().shift(1).over(apart)
    fresh = (pl.col("fires_from") > ended + pl.duration(days=EPISODE_GAP_DAYS)).fill_null(True)
    rows = rows.with_columns(run=fresh.cast(pl.Int64).cum_sum())
    rows = rows.with_columns(day=pl.col("fires_from").min().over("run").dt.convert_time_zone("Europe/London").dt.date())
    return (
        rows.with_columns(episode=pl.struct(*IDENTITY, "day").rank("dense").cast(pl.Int64))
        .with_columns(began=pl.col("fires_from").min().over("episode"))
        .sort("episode", "fires_from", pl.col("records").list.join(" "), "fires_to")
        .drop("run", "day")
    )
