"""Which groups (pages, forms, writers) are for training, validation and test, where no list says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gatelab.data.splits import split_by_group
from gatelab.errors import ConfigError, DataError, near_misses


def split_groups(
    groups: Iterable[str],
    valid: Sequence[str] | None = None,
    test: Sequence[str] | None = None,
    place: str = "data",
) -> dict[str, str]:
    """Return ``"train"``, ``"valid"`` or ``"test"`` for each group.

    Where ``valid`` and ``test`` are named, all others are for training. Where neither is, it is the split of
    :func:`gatelab.data.splits.split_by_group`.

    Raises
    ------
    ConfigError
        Only one of ``valid`` and ``test`` is named, a name is not there, or both hold it.
    DataError
        Nothing would be left for a split: there are fewer than three groups.

    Examples
    --------
    >>> from gatelab.data.pens.groups import split_groups
    >>> split_groups(["p1", "p2", "p3"], valid=["p2"], test=["p1"])
    {'p1': 'test', 'p2': 'valid', 'p3': 'train'}
    """
    names = sorted(set(groups))
    if (valid is None) != (test is None):
        raise ConfigError(f"{place}: wanted both valid and test, or neither; try to name the groups of both")
    if valid is None or test is None:
        found = split_by_group(names, place=place)
        valid, test = ([names[k] for k in part] for part in (found.valid, found.test))
    _check(names, [*valid, *test], place)
    parts = {name: "valid" if name in valid else "test" if name in test else "train" for name in names}
    if set(parts.values()) != {"train", "valid", "test"}:
        raise DataError(
            f"{place}: wanted groups (folders, forms) for train, valid and test, came {len(names)} in all; "
            "try at least three"
        )
    return parts


def _check(names: list[str], chosen: list[str], place: str) -> None:
    """Refuse a group that is not there, or that is chosen twice."""
    for name in chosen:
        if name not in names:
            close = near_misses(name, names)
            raise ConfigError(
                f"{place}: there is no group {name!r}{close}; known are {', '.join(names[:20])}"
            )
        if chosen.count(name) > 1:
            raise ConfigError(f"{place}: the group {name!r} is chosen twice; try to keep it in one split")
