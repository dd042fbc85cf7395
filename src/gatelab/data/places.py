"""Where the files of known data sets lie, and what is said where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gatelab import settings
from gatelab.errors import DataError


def places(folder: str, files: Sequence[str]) -> Iterator[Path]:
    """Yield every path where a file of a set may lie, in the order of the search.

    ``$GATELAB_DATA/FOLDER``, ``$GATELAB_DATA``, and ``FOLDER`` in the cache folder.
    """
    data = settings.data_folder()
    folders = [data / folder, data] if data else []
    for place in (*folders, settings.cache_folder() / folder):
        yield from (place / file for file in files)


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
