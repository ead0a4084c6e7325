"""Intervals for shares. In: hits and trials. Out: a 95 % interval. Never a normal approximation at the edges.

Source: Wilson 1927, Journal of the American Statistical Association 22:209-212.
"""

from __future__ import annotations

Z = 1.959963984540054


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share; 0 to 1 where nothing was tried."""
    if trials <= 0:
        return 0.0, 1.0
    share, weight = hits / trials, Z * Z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = Z / (1 + weight) * (share * (1 - share) / trials + weight / (4 * trials)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
