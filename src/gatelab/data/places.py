"""Where the files of known data sets lie, and what is said where they do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar

from gatelab import settings
from gatelab.errors import ConfigError, DataError, near_misses


def places(folder: str, files: Sequence[str]) -> Iterator[Path]:
    """Yield every path where a file of a set may lie, in the order of the search.

    ``$GATELAB_DATA/FOLDER``, ``$GATELAB_DATA``, and ``FOLDER`` in the cache folder.
    """
    data = settings.data_folder()
    folders = [data / folder, data] if data else []
    for place in (*folders, settings.cache_folder() / folder):
        yield from (place / file for file in files)


class Named(Protocol):
    """What a known set says of its names."""

    @property
    def name(self) -> str:
        """Its short name."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names that are understood."""


N = TypeVar("N", bound=Named)


def by_name(*sources: N) -> Mapping[str, N]:
    """Return known sets by their short names."""
    return MappingProxyType({source.name: source for source in sources})


def find_named(asked: str, known: Mapping[str, N], what: str, path: str) -> N:
    """Return the set that a name or an alias means; case, ``-``, ``_``, ``.`` and spaces make no difference.

    Parameters
    ----------
    known
        The sets by their short names.
    what, path
        What a message calls a set, and what else may be given.

    Raises
    ------
    ConfigError
        No set has this name; the message lists near misses and all names.
    """
    names = {name: source for source in known.values() for name in (source.name, *source.aliases)}
    name = spelt(asked, names)
    if name is None:
        hint = near_misses(asked.lower(), names) or ";"
        raise ConfigError(f"no {what} is called {asked!r}{hint} known are {', '.join(known)}, or {path}")
    return names[name]


def spelt(asked: str, names: Iterable[str]) -> str | None:
    """Return which of the names somebody meant: case, ``-``, ``_``, ``.`` and spaces make no difference.

    Examples
    --------
    >>> spelt("War and Peace", ["warpeace", "war-and-peace"])
    'war-and-peace'
    """
    return {_plain(name): name for name in names}.get(_plain(asked))


def _plain(name: str) -> str:
    return "-".join(re.sub(r"[-_.]", " ", name.lower()).split())


def find(title: str, folder: str, files: Sequence[str], home: str) -> Path:
    """Return the first of the files (or folders) of a set that is there.

    Raises
    ------
    DataError
        None is; the message says where it was looked for and, by ``home``, where it is to be had.
    """
    looked = list(places(folder, files))
    for path in looked:
        if path.exists():
            return path
    where = ", ".join(dict.fromkeys(str(path.parent) for path in looked))
    raise DataError(
        f"{title}: wanted {' or '.join(files)} in {where}, came no such file; try to fetch it from {home} "
        f"into a folder called {folder} and to set GATELAB_DATA to the folder around it"
    )
