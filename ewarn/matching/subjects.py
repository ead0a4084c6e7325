"""Subject ids of batches and of pairs: what rules write into them, cases read out of them.

In: a class and a mark, or two substances. Out: one lower-case id, and back. An id that is neither says nothing.
"""

from __future__ import annotations

_BATCH, _WITH = "-batch-", "-with-"


def batch_subject(class_id: str, mark: str) -> str:
    """Subject id of a contaminated batch: the class it holds, and what tells it from other batches."""
    return f"{class_id}{_BATCH}{mark}"


def class_of_batch(subject_id: str) -> str:
    """The class a batch's subject id names; empty where it is no batch."""
    class_id, between, _ = subject_id.rpartition(_BATCH)
    return class_id if between else ""


def pair_subject(one: str, other: str) -> str:
    """Subject id of a combination: two substances, in order of their ids."""
    return _WITH.join(sorted((one, other)))


def parts_of_pair(subject_id: str) -> tuple[str, ...]:
    """The two substances a combination's subject id names; empty where it is none."""
    one, between, other = subject_id.partition(_WITH)
    return (one, other) if between else ()
