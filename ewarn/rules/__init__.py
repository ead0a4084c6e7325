"""Rules: line lists as known become signals.

In: rule definitions, line lists, an instant, the catalogue. Out: an Evaluation (spells over known time, and what had no
answer), read as signals at an instant or over days. Pure: no clock, no store, no network; the same lines in any order
give the same signals.
"""

from __future__ import annotations

from ewarn.rules.evaluate import BROKEN, evaluate
from ewarn.rules.signals import Evaluation

__all__ = ["BROKEN", "Evaluation", "evaluate"]
