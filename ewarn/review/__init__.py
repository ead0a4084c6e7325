"""What people read to see where things stand.

In: signals, cases, sources and deliveries as they are. Out: order and words.
Pure: `now` is an argument; nothing is opened, sent or decided here.
"""

from ewarn.review.situation import SourceState, situation
from ewarn.review.urgency import cases_by_urgency, is_overdue, raised_per_week, signals_by_area, signals_by_urgency

__all__ = [
    "SourceState",
    "cases_by_urgency",
    "is_overdue",
    "raised_per_week",
    "signals_by_area",
    "signals_by_urgency",
    "situation",
]
