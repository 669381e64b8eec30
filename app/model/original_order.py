"""Which of several files with one content is the original: the rules of `dedup.original_order`, the first that tells
two files apart decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.model.statuses import AssetStatus
from app.model.values import Asset

#: Sort key of possible originals, the better first.
Rank = Callable[[Asset], tuple[object, ...]]

KEPT_HERE = (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
ON_ITS_WAY = (AssetStatus.DELIVERED, AssetStatus.BATCHED, AssetStatus.GONE)

RULES: dict[str, Rank] = {
    "archived": lambda asset: (asset.is_reference or asset.status not in KEPT_HERE,),
    "batched": lambda asset: (asset.is_reference or asset.status not in ON_ITS_WAY,),
    "reference": lambda asset: (not asset.is_reference,),
    "earliest_mtime": lambda asset: (asset.mtime_ns,),
    "shortest_path": lambda asset: (len(came_as(asset)),),
    "first_seen": lambda asset: (asset.id,),
}
DEFAULT_ORDER = tuple(RULES)
#: The same for groups of files that wait, in SQL.
IN_SQL = {"earliest_mtime": "MIN(mtime_ns)", "shortest_path": "MIN(LENGTH(path))", "first_seen": "MIN(id)"}


def came_as(asset: Asset) -> bytes:
    """The path that it came with."""
    return asset.origin_path or asset.path


def check_order(order: tuple[str, ...]) -> tuple[str, ...]:
    """The order, if it can be used. Raises ValueError."""
    unknown = [rule for rule in order if rule not in RULES]
    if unknown:
        raise ValueError(f"there is no rule {unknown[0]!r}; there are {', '.join(RULES)}")
    twice = next((rule for i, rule in enumerate(order) if rule in order[:i]), None)
    if twice is not None:
        raise ValueError(f"the rule {twice!r} is there twice")
    if not order:
        raise ValueError("at least one rule is needed")
    return order


def rank_by(order: Sequence[str]) -> Rank:
    """The sort key by an order. What is alike in all that it asks for goes by path; by the time of its coming at the
    very end, unless that is asked for before another rule: so files that come together may come in any order."""
    rules = [RULES[rule] for rule in _without_last(order)]

    def rank(asset: Asset) -> tuple[object, ...]:
        return (*(part for rule in rules for part in rule(asset)), came_as(asset), asset.id)

    return rank


def order_in_sql(order: Sequence[str]) -> str:
    """The same for groups of files that wait for a verdict."""
    asked = [IN_SQL[rule] for rule in _without_last(order) if rule in IN_SQL]
    return ", ".join([*asked, "MIN(path)", "MIN(id)"])


def is_usual_for_new(order: Sequence[str]) -> bool:
    """Whether files that wait are ordered as by default."""
    return order_in_sql(order) == order_in_sql(DEFAULT_ORDER)


def _without_last(order: Sequence[str]) -> Sequence[str]:
    return order[:-1] if order[-1] == "first_seen" and len(order) > 1 else order
