"""The heaviest set of things of which no two are a pair.

In: weights and pairs, as positions. Out: a sum. Connected groups are searched one by one, by branch and bound; a
search that is cut short gives a sum that some set has, so never one too high.
"""

from __future__ import annotations

from collections.abc import Sequence

WORK = 200_000


def heaviest(weights: Sequence[int], left: Sequence[int], right: Sequence[int]) -> int:
    """The heaviest set of reports of which no two are a pair, one connected component at a time."""
    if not left:
        return sum(weights)
    near: list[int] = [0] * len(weights)
    for i, j in zip(left, right, strict=True):
        near[i] |= 1 << j
        near[j] |= 1 << i
    total, seen = 0, 0
    for i, weight in enumerate(weights):
        if not near[i]:
            total += weight
        elif not seen >> i & 1:
            part = _component(i, near)
            seen |= part
            total += _search(part, near, weights)
    return total


def _component(first: int, near: Sequence[int]) -> int:
    part, edge = 0, 1 << first
    while edge:
        part |= edge
        step = 0
        for i in _positions(edge):
            step |= near[i]
        edge = step & ~part
    return part


def _positions(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _search(part: int, near: Sequence[int], weights: Sequence[int]) -> int:
    """Branch and bound over one component. After so much work the best so far: too low is sound, too high never is."""
    best, steps = 0, 0
    allowed = max(1, WORK // part.bit_count() ** 2)
    stack = [(part, 0)]
    while stack:
        rest, sure = stack.pop()
        rest, sure = _taken(rest, sure, near, weights)
        best = max(best, sure + _greedy(rest, near, weights))
        steps += 1
        if not rest or steps > allowed or sure + _ceiling(rest, near, weights) <= best:
            continue
        busiest = max(_positions(rest), key=lambda i: ((near[i] & rest).bit_count(), weights[i], -i))
        stack.append((rest & ~(1 << busiest), sure))
        stack.append((rest & ~(1 << busiest) & ~near[busiest], sure + weights[busiest]))
    return best


def _taken(rest: int, sure: int, near: Sequence[int], weights: Sequence[int]) -> tuple[int, int]:
    """Reports that weigh at least as much as all they pair with are in some heaviest set: taken at once."""
    again = True
    while again:
        again = False
        for i in _positions(rest):
            if rest >> i & 1 and sum(weights[j] for j in _positions(near[i] & rest)) <= weights[i]:
                rest &= ~(near[i] | 1 << i)
                sure += weights[i]
                again = True
    return rest, sure


def _greedy(rest: int, near: Sequence[int], weights: Sequence[int]) -> int:
    """A heavy set found quickly: the heaviest first, of equals the one with fewest pairs."""
    sum_of = 0
    for i in sorted(_positions(rest), key=lambda i: (-weights[i], (near[i] & rest).bit_count(), i)):
        if rest >> i & 1:
            rest &= ~(near[i] | 1 << i)
            sum_of += weights[i]
    return sum_of


def _ceiling(rest: int, near: Sequence[int], weights: Sequence[int]) -> int:
    """No set is heavier: groups in which all pair with all, each counted as its heaviest."""
    groups: list[int] = []
    sum_of = 0
    for i in sorted(_positions(rest), key=lambda i: (-weights[i], i)):
        for number, group in enumerate(groups):
            if group & ~near[i] == 0:
                groups[number] |= 1 << i
                break
        else:
            groups.append(1 << i)
            sum_of += weights[i]
    return sum_of
